"""Types of configs, and of registered classes and functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar, Union

__all__ = ["PartConfig", "PartOrConfig", "Registered"]

T = TypeVar("T")

#: Config of a part: its ``type`` and the arguments to build it with.
PartConfig: TypeAlias = Mapping[str, Any]

#: A class or function as it is registered, which returns a part of any type.
Registered: TypeAlias = Callable[..., Any]

#: A part, or the config to build it from.
PartOrConfig: TypeAlias = Union[T, PartConfig]  # noqa: UP007 - generic, so evaluated by 3.10
