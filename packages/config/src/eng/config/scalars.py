"""Convert scalars to the types that all config formats support."""

from __future__ import annotations

from .types import ConfigValue

__all__ = ["to_scalar"]

_TYPES = (bool, int, float, str)


def to_scalar(value: ConfigValue) -> tuple[bool, ConfigValue]:
    """Convert a scalar to a built-in type.

    Subclasses, such as members of ``IntEnum``, are converted to their base type, and numpy scalars
    to the corresponding built-in type.

    Args:
        value: Any value.

    Returns:
        ``(True, scalar)`` with ``None``, a ``bool``, ``int``, ``float`` or ``str``, or
        ``(False, value)`` if the value is not a scalar.
    """
    if value is None or type(value) in _TYPES:
        return True, value
    for kind in _TYPES:
        if isinstance(value, kind):
            return True, kind(value) if kind is not str else str.__str__(value)
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        item = value.item()  # a numpy scalar, without importing numpy
        if type(item) in _TYPES:
            return True, item
    return False, value
