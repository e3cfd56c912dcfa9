"""Change values inside nested data."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

__all__ = ["apply_to"]


def apply_to(data: Any, expr: Callable[[Any], bool], apply_func: Callable[[Any], Any]) -> Any:
    """Replace the values inside nested data that meet a condition.

    Dictionaries, lists and tuples, also named ones, are walked and rebuilt in their own types;
    everything else is kept. The data itself is not changed.

    Args:
        data: The data.
        expr: Whether a value is replaced. A value that is replaced is not walked.
        apply_func: Returns what takes its place.

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
        # A named tuple takes its values one by one.
        return type(data)(*items) if hasattr(data, "_fields") else type(data)(items)
    return data


def _rebuild_dict(data: dict[Any, Any], values: dict[Any, Any]) -> dict[Any, Any]:
    if type(data) is dict:
        return values
    # A copy keeps what a class has beside the values, such as the factory of a defaultdict.
    rebuilt = copy.copy(data)
    for key, value in values.items():
        rebuilt[key] = value
    return rebuilt
