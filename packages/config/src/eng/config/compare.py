"""Compare values of configs."""

from __future__ import annotations

from .types import ConfigValue

__all__ = ["is_same"]


def is_same(a: ConfigValue, b: ConfigValue, known: set[tuple[int, int]] | None = None) -> bool:
    """Return whether two values are equal and have the same types, recursively."""
    if a is b or type(a) is not type(b):
        return a is b
    if not isinstance(a, (dict, list, tuple)):
        equal = a == b
        return bool(equal.all() if hasattr(equal, "all") else equal)  # arrays compare by element
    known = set() if known is None else known
    pair = (id(a), id(b))
    if pair in known:
        return True
    if isinstance(a, dict):
        same = a.keys() == b.keys() and all(is_same(a[key], b[key], known) for key in a)
    else:
        same = len(a) == len(b) and all(
            is_same(one, other, known) for one, other in zip(a, b, strict=True)
        )
    if same:
        known.add(pair)
    return same
