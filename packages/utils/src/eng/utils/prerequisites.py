"""Decorators of functions that require packages or programs."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from typing import TypeVar

from .package import is_installed

__all__ = ["MissingPackageError", "check_prerequisites", "requires_executable", "requires_package"]

F = TypeVar("F", bound=Callable[..., object])

_MESSAGE = (
    'Prerequisites "{}" are required in method "{}" but not found, please install them first.'
)


class MissingPackageError(ImportError, RuntimeError):
    """A package that a function requires is not installed."""


def check_prerequisites(
    prerequisites: str | list[str],
    checker: Callable[[str], bool],
    msg_tmpl: str = _MESSAGE,
) -> Callable[[F], F]:
    """Return a decorator that checks prerequisites at each call of a function.

    Args:
        prerequisites: Prerequisites of the function.
        checker: Function that returns whether a prerequisite is met.
        msg_tmpl: Message of the error; the two ``{}`` are the missing prerequisites and the name
            of the function.

    Returns:
        A decorator. The decorated function raises ``RuntimeError`` if a prerequisite is missing.
    """
    return _require(prerequisites, checker, msg_tmpl, RuntimeError)


def requires_package(prerequisites: str | list[str]) -> Callable[[F], F]:
    """Return a decorator of a function that requires packages.

    The decorated function raises an ``ImportError`` (also a ``RuntimeError``) if one is missing.

    Examples:
        >>> @requires_package("numpy")
        ... def zeros(n):
        ...     import numpy
        ...     return numpy.zeros(n)
    """
    return _require(prerequisites, is_installed, _MESSAGE, MissingPackageError)


def requires_executable(prerequisites: str | list[str]) -> Callable[[F], F]:
    """Return a decorator of a function that requires programs, such as ``ffmpeg``.

    The decorated function raises a ``RuntimeError`` if one is missing.
    """
    return _require(prerequisites, lambda name: shutil.which(name) is not None, _MESSAGE)


def _require(
    prerequisites: str | list[str],
    checker: Callable[[str], bool],
    msg_tmpl: str,
    error: type[Exception] = RuntimeError,
) -> Callable[[F], F]:
    wanted = [prerequisites] if isinstance(prerequisites, str) else list(prerequisites)

    def decorate(func: F) -> F:
        @functools.wraps(func)
        def checked(*args: object, **kwargs: object) -> object:
            missing = [item for item in wanted if not checker(item)]
            if missing:
                raise error(msg_tmpl.format(", ".join(missing), func.__name__))
            return func(*args, **kwargs)

        return checked  # type: ignore[return-value]

    return decorate
