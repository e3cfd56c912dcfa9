"""Lists of configs that contain lazy values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import SupportsIndex, overload

from eng.utils import override

from .lazy import LazyValue, is_kept
from .types import ConfigValue

__all__ = ["LazyList"]


class LazyList(list[ConfigValue]):
    """A list that keeps its lazy values, and resolves them when they are read."""

    @overload
    def __getitem__(self, index: SupportsIndex) -> ConfigValue: ...
    @overload
    def __getitem__(self, index: slice) -> list[ConfigValue]: ...
    @override
    def __getitem__(self, index: ConfigValue) -> ConfigValue:
        found = list.__getitem__(self, index)
        return LazyList(found) if isinstance(index, slice) else _build(found)

    @override
    def __iter__(self) -> Iterator[ConfigValue]:
        return map(_build, list.__iter__(self))

    @override
    def __reversed__(self) -> Iterator[ConfigValue]:
        return map(_build, list.__reversed__(self))

    @override
    def __add__(self, other: Iterable[object]) -> ConfigValue:
        if not isinstance(other, list):
            return NotImplemented
        return LazyList([*self.lazy_items(), *lazy_items(other)])

    def __radd__(self, other: Iterable[object]) -> ConfigValue:
        if not isinstance(other, list):
            return NotImplemented
        return LazyList([*lazy_items(other), *self.lazy_items()])

    @override
    def __mul__(self, count: SupportsIndex) -> LazyList:
        return LazyList(list.__mul__(self, count))

    __rmul__ = __mul__

    @override
    def pop(self, index: SupportsIndex = -1) -> ConfigValue:
        """Remove an item and return it."""
        return _build(list.pop(self, index))

    @override
    def copy(self) -> LazyList:
        """Return a shallow copy."""
        return LazyList(self.lazy_items())

    def lazy_items(self) -> list[ConfigValue]:
        """Return the items without resolving them."""
        return list(list.__iter__(self))

    @override
    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[object, ...]:
        return (LazyList, (self.lazy_items(),))


def lazy_items(values: list[ConfigValue]) -> list[ConfigValue]:
    """Return the items of a list without resolving them."""
    return list(list.__iter__(values))


def _build(value: object) -> ConfigValue:
    if is_kept():
        return value
    if isinstance(value, LazyValue):
        return value.build()
    if type(value) is tuple and any(isinstance(each, (LazyValue, tuple)) for each in value):
        return tuple(map(_build, value))
    return value
