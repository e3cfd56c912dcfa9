"""Values in the form that every place of recording takes."""

from __future__ import annotations

from typing import Any

__all__ = ["plain_value"]


def plain_value(value: Any) -> Any:
    """A number, list or word for anything that holds one: tensors and arrays among them.

    A tensor on another device is moved from there once.

    Args:
        value: The value.

    Returns:
        What ``value`` holds, one element without its lists; ``value`` itself if it is no tensor or
        array.
    """
    if not hasattr(value, "tolist"):
        return value
    plain = value.tolist()
    while isinstance(plain, list) and len(plain) == 1:
        plain = plain[0]
    return plain
