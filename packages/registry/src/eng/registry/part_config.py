"""Types of configs that parts are built from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar, Union

__all__ = ["PartConfig", "PartOrConfig"]

T = TypeVar("T")

#: A config of a part: its ``type`` and the arguments to build it with.
PartConfig: TypeAlias = Mapping[str, Any]

#: A part, or the config that it is built from.
PartOrConfig: TypeAlias = Union[T, PartConfig]  # noqa: UP007 - generic, so evaluated by 3.10
