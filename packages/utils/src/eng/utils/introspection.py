"""Questions about the methods of objects and classes."""

from __future__ import annotations

from typing import Any

from .errors import ArgumentTypeError

__all__ = ["has_method", "is_method_overridden"]


def has_method(obj: object, method: str) -> bool:
    """Return whether ``obj`` has a callable attribute named ``method``."""
    return callable(getattr(obj, method, None))


def is_method_overridden(method: str, base_class: type, derived_class: type | Any) -> bool:
    """Return whether a class defines its own version of a method of a base class.

    Args:
        method: Name of the method; ``base_class`` must have it.
        base_class: Class that first defines the method.
        derived_class: Class to look at, or an instance of it.

    Raises:
        TypeError: ``base_class`` is an instance.
        AttributeError: ``base_class`` has no such method.
    """
    if not isinstance(base_class, type):
        raise ArgumentTypeError(
            f"base_class must be a class, but it is an instance of {type(base_class).__name__}"
        )
    if not isinstance(derived_class, type):
        derived_class = type(derived_class)
    return _function(derived_class, method) is not _function(base_class, method)


def _function(cls: type, method: str) -> Any:
    # A class method is bound anew at each access: compare the functions below.
    attribute = getattr(cls, method)
    return getattr(attribute, "__func__", attribute)
