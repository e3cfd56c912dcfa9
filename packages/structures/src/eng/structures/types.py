"""Types of the fields of data elements."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["FieldValue"]

#: The value of a field: a tensor, an array, a data element, or any other object.
FieldValue: TypeAlias = Any
