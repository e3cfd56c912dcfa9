"""Initialize a backend at its first use."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Protocol, TypeVar, cast

__all__ = ["force_init_env"]

MethodT = TypeVar("MethodT", bound=Callable[..., object])


class _LateBackend(Protocol):
    """A backend that is initialized at its first use."""

    _env_initialized: bool

    def _init_env(self) -> object: ...


def force_init_env(old_func: MethodT) -> MethodT:
    """Decorate a method of a backend so that ``_init_env`` is called once before its first use.

    The first decorated method that is used calls it; if it fails, the next one calls it again.

    Args:
        old_func: The method.

    Returns:
        The decorated method.

    Raises:
        AttributeError: If the object of the method has no ``_init_env``.

    Examples:
        >>> from eng.vis import BaseVisBackend
        >>> class PrintBackend(BaseVisBackend):
        ...     def _init_env(self):
        ...         print('begin')
        ...
        ...     @property
        ...     @force_init_env
        ...     def experiment(self):
        ...         return print
        ...
        ...     @force_init_env
        ...     def add_scalar(self, name, value, step=0, **kwargs):
        ...         print(name, value)
        >>> backend = PrintBackend('work_dir')
        >>> backend.add_scalar('loss', 0.5)
        begin
        loss 0.5
        >>> backend.add_scalar('loss', 0.25)
        loss 0.25
    """

    @functools.wraps(old_func)
    def wrapper(self: _LateBackend, *args: object, **kwargs: object) -> object:
        if not hasattr(self, "_init_env"):
            raise AttributeError(
                f"{type(self).__name__} must have a method _init_env, which {old_func.__name__} "
                "calls before its first use"
            )
        if not getattr(self, "_env_initialized", False):
            # Set before the call, which may use decorated methods itself.
            self._env_initialized = True
            try:
                self._init_env()
            except BaseException:
                self._env_initialized = False
                raise
        return old_func(self, *args, **kwargs)

    return cast(MethodT, wrapper)
