"""Errors of the steps of a pipeline, which are caught where the error of the step would be."""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import Any

__all__ = ["TransformError", "make_error"]


class TransformError(RuntimeError):
    """A step of a pipeline failed; its own error is the ``__cause__``.

    It is an error of that class too: code that skips a broken image by ``except OSError`` catches
    it.
    """


def make_error(message: str, error: Exception) -> TransformError:
    """Make the error of a step that raised.

    Args:
        message: Its message.
        error: What the step raised. Its attributes are kept.

    Returns:
        A :class:`TransformError` of the class of that error, where a class can be of both and would
        not end an iteration over the dataset.
    """
    try:
        made = _combine(type(error))(message)
    except Exception:  # a class of somebody else may refuse anything
        return TransformError(message)
    if isinstance(error, OSError) and isinstance(made, OSError):
        made.errno, made.strerror, made.filename = error.errno, error.strerror, error.filename
    vars(made).update(vars(error), _message=message)
    return made


_ENDS_OF_ITERATIONS = (StopIteration, StopAsyncIteration, IndexError)


class _Combined(type):
    """Class of errors of two classes, pickled by the second: workers send their errors."""

    kind: type[Exception]


_COMBINED: dict[type[Exception], type[TransformError]] = {}


def _combine(kind: type[Exception]) -> type[TransformError]:
    if issubclass(kind, TransformError):  # of a pipeline in a step
        return kind
    if issubclass(TransformError, kind) or issubclass(kind, _ENDS_OF_ITERATIONS):
        return TransformError
    if kind not in _COMBINED:
        _COMBINED[kind] = _make_class(kind)
    return _COMBINED[kind]


def _make_class(kind: type[Exception]) -> type[TransformError]:
    members: dict[str, Any] = {
        "kind": kind,
        "__doc__": TransformError.__doc__,
        "__module__": TransformError.__module__,
        "__init__": _set_message,
        "__str__": _get_message,
        "__reduce__": _reduce_error,
    }
    made: Any = _Combined(TransformError.__name__, (TransformError, kind), members)
    combined: type[TransformError] = made
    return combined


def _set_message(self: Any, message: str) -> None:
    self.args = (message,)
    self._message = message


def _get_message(self: Any) -> str:
    message: str = self._message
    return message


def _reduce_error(self: Any) -> tuple[object, ...]:
    return type(self), (self._message,)


def _reduce_class(combined: _Combined) -> tuple[Callable[..., Any], tuple[type[Exception]]]:
    return _combine, (combined.kind,)


copyreg.pickle(_Combined, _reduce_class)
