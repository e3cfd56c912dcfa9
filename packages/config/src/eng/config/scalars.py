"""Scalars as the types that every config format has."""

from __future__ import annotations

from .types import ConfigValue

__all__ = ["plain_scalar"]

_TYPES = (bool, int, float, str)


def plain_scalar(value: ConfigValue) -> tuple[bool, ConfigValue]:
    """Return whether a value is a scalar, and the equal one of a built-in type.

    Subclasses, such as members of ``IntEnum``, become the type they derive from, and scalars of
    numpy the built-in one of their kind.

    Args:
        value: Anything.

    Returns:
        ``(True, scalar)`` with ``None``, a ``bool``, ``int``, ``float`` or ``str``, or
        ``(False, value)`` for what is no such scalar.
    """
    if value is None or type(value) in _TYPES:
        return True, value
    for kind in _TYPES:
        if isinstance(value, kind):
            return True, kind(value) if kind is not str else str.__str__(value)
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        item = value.item()  # a scalar of numpy, without importing it
        if type(item) in _TYPES:
            return True, item
    return False, value
