"""Convert scalars to numbers of Python."""

from __future__ import annotations

from typing import Any

__all__ = ["plain_value"]


def plain_value(value: object) -> Any:
    """Convert a tensor or array to a number or a list.

    A tensor is copied from its device once.

    Args:
        value: The value.

    Returns:
        A number for a single element, else nested lists; ``value`` itself if it is not a tensor or
        array.
    """
    if not hasattr(value, "tolist"):
        return value
    plain = value.tolist()
    while isinstance(plain, list) and len(plain) == 1:
        plain = plain[0]
    return plain
