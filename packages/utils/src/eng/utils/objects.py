"""Import objects by dotted path."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from .errors import ArgumentTypeError, ArgumentValueError

__all__ = ["get_object_from_string"]

_MISSING = object()


def get_object_from_string(obj_name: str) -> Any:
    """Return the object at a dotted path, or None if it does not exist.

    An attribute of a package takes precedence over a module of the same name.

    Args:
        obj_name: Module followed by attributes, such as ``torch.optim.SGD``.

    Raises:
        TypeError: ``obj_name`` is not a string.
        ValueError: ``obj_name`` is empty.
        Exception: Errors of a module of the path while it is imported.

    Examples:
        >>> get_object_from_string("os.path.join")("a", "b")
        'a/b'
    """
    if not isinstance(obj_name, str):
        raise ArgumentTypeError(f"obj_name must be a string, but got {obj_name!r}")
    if not obj_name:
        raise ArgumentValueError("obj_name must not be empty")
    first, *parts = obj_name.split(".")
    found = _import(first)
    for part in parts:
        if found is _MISSING:
            return None
        inner = getattr(found, part, _MISSING)
        if inner is _MISSING and isinstance(found, ModuleType) and hasattr(found, "__path__"):
            inner = _import(f"{found.__name__}.{part}")
        found = inner
    return None if found is _MISSING else found


def _import(name: str) -> object:
    if not all(part.isidentifier() for part in name.split(".")):
        return _MISSING
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:  # an error inside the module
            raise
        return _MISSING
