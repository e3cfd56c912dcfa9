"""Replace values inside nested data."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

__all__ = ["apply_to"]


def apply_to(data: object, expr: Callable[..., bool], apply_func: Callable[..., object]) -> Any:
    """Replace the values inside nested data that meet a condition.

    Dictionaries, lists and tuples, named tuples included, are traversed and rebuilt in their own
    types; everything else is kept. The data itself is not modified.

    Args:
        data: Nested data.
        expr: Predicate that selects the values to replace. These are not traversed.
        apply_func: Function of a value that returns its replacement.

    Examples:
        >>> apply_to({"a": [1, (2, "s")]}, lambda x: isinstance(x, int), lambda x: x * 10)
        {'a': [10, (20, 's')]}
    """
    if expr(data):
        return apply_func(data)
    if isinstance(data, dict):
        return _rebuild_dict(data, {k: apply_to(v, expr, apply_func) for k, v in data.items()})
    if isinstance(data, (list, tuple)):
        items = [apply_to(each, expr, apply_func) for each in data]
        # The constructor of a named tuple takes each value as an argument.
        return type(data)(*items) if hasattr(data, "_fields") else type(data)(items)
    return data


def _rebuild_dict(data: dict[object, object], values: dict[object, object]) -> object:
    if type(data) is dict:
        return values
    # A copy keeps attributes of the class, such as the factory of a defaultdict.
    rebuilt = copy.copy(data)
    for key, value in values.items():
        rebuilt[key] = value
    return rebuilt
