"""Errors that are caught where the error that they explain would be."""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["explain_error"]

Explained = TypeVar("Explained", bound=Exception)


def explain_error(base: type[Explained], message: str, error: Exception) -> Explained:
    """Make an error of two classes: of a base, and of an error of somebody else's code.

    Args:
        base: The base class.
        message: Message that explains the error.
        error: The error. Its attributes are kept.

    Returns:
        The error, of the base class alone where no class can be of both, or where that of the error
        would end an iteration over the dataset.
    """
    try:
        made: Any = _combine(base, type(error))(message)
    except Exception:  # a class of somebody else may refuse anything
        return base(message)
    if isinstance(error, OSError) and isinstance(made, OSError):
        made.errno, made.strerror, made.filename = error.errno, error.strerror, error.filename
    vars(made).update(vars(error), _message=message)
    explained: Explained = made
    return explained


_ENDS_OF_ITERATIONS = (StopIteration, StopAsyncIteration, IndexError)


class _Combined(type):
    """Class of errors of two classes, pickled by those: workers send their errors."""

    parts: tuple[type[Exception], type[Exception]]


_COMBINED: dict[tuple[type[Exception], type[Exception]], type[Exception]] = {}


def _combine(base: type[Exception], kind: type[Exception]) -> type[Exception]:
    if issubclass(kind, base):  # explained before, such as by a pipeline in a step
        return kind
    if issubclass(base, kind) or issubclass(kind, _ENDS_OF_ITERATIONS):
        return base
    if (base, kind) not in _COMBINED:
        _COMBINED[base, kind] = _make_class(base, kind)
    return _COMBINED[base, kind]


def _make_class(base: type[Exception], kind: type[Exception]) -> type[Exception]:
    members: dict[str, Any] = {
        "parts": (base, kind),
        "__doc__": base.__doc__,
        "__module__": base.__module__,
        "__init__": _set_message,
        "__str__": _get_message,
        "__reduce__": _reduce_error,
    }
    made: Any = _Combined(base.__name__, (base, kind), members)
    combined: type[Exception] = made
    return combined


def _set_message(self: Any, message: str) -> None:
    self.args = (message,)
    self._message = message


def _get_message(self: Any) -> str:
    message: str = self._message
    return message


def _reduce_error(self: Any) -> tuple[object, ...]:
    return type(self), (self._message,)


def _reduce_class(combined: _Combined) -> tuple[Callable[..., Any], tuple[type[Exception], ...]]:
    return _combine, combined.parts


copyreg.pickle(_Combined, _reduce_class)
