"""Inspect the methods of objects and classes."""

from __future__ import annotations

from .errors import ArgumentTypeError

__all__ = ["has_method", "is_method_overridden"]


def has_method(obj: object, method: str) -> bool:
    """Return whether ``obj`` has a callable attribute named ``method``."""
    return callable(getattr(obj, method, None))


def is_method_overridden(method: str, base_class: type, derived_class: object) -> bool:
    """Return whether a class overrides a method of a base class.

    Args:
        method: Name of the method, which ``base_class`` must have.
        base_class: Base class.
        derived_class: Derived class, or an instance of it.

    Raises:
        TypeError: ``base_class`` is an instance.
        AttributeError: ``base_class`` does not have the method.
    """
    if not isinstance(base_class, type):
        raise ArgumentTypeError(
            f"base_class must be a class, but got an instance of {type(base_class).__name__}"
        )
    if not isinstance(derived_class, type):
        derived_class = type(derived_class)
    return _find_function(derived_class, method) is not _find_function(base_class, method)


def _find_function(cls: type, method: str) -> object:
    # Each access binds a class method again: compare the functions instead.
    attribute = getattr(cls, method)
    return getattr(attribute, "__func__", attribute)
