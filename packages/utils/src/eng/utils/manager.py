"""Instances that can be fetched by name from anywhere in the process."""

from __future__ import annotations

import os
import threading
from typing import Any, TypeVar

from .errors import ArgumentTypeError, ArgumentValueError

__all__ = ["ManagerMeta", "ManagerMixin", "NoInstanceError"]

T = TypeVar("T", bound="ManagerMixin")

# One lock for all classes: the constructor of a managed instance may fetch an instance of another
# managed class, and locks of their own could then be taken in two orders.
_lock = threading.RLock()


class NoInstanceError(RuntimeError, AssertionError):
    """The current instance of a class was asked for before any was created."""


def _takes_name(function: Any) -> bool:
    code = getattr(function, "__code__", None)
    if code is not None:
        return "name" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] or (
            hasattr(function, "__wrapped__") and _takes_name(function.__wrapped__)
        )
    import inspect

    return "name" in inspect.signature(function).parameters


class ManagerMeta(type):
    """The metaclass of classes whose instances can be fetched by name.

    Every class gets its own table of instances. Its constructor must accept ``name``.

    Raises:
        AssertionError: The constructor of the class has no argument ``name``.

    Examples:
        >>> class Managed(metaclass=ManagerMeta):
        ...     def __init__(self, name):
        ...         pass
    """

    def __init__(cls, *args: Any) -> None:
        cls._instance_dict: dict[str, Any] = {}
        if not _takes_name(cls.__init__):  # type: ignore[misc]
            # Raised by hand, since `python -O` drops assert statements.
            raise AssertionError(f"{cls}.__init__ must have the name argument.")
        super().__init__(*args)


class ManagerMixin(metaclass=ManagerMeta):
    """Base class of classes whose instances can be fetched by name from anywhere.

    Safe under threads: of several threads that ask for the same new name, one creates the
    instance and all get it.

    Args:
        name: Name of the instance, not empty. Instances made by calling the class, rather than
            :meth:`get_instance`, are not in the table.

    Raises:
        TypeError: ``name`` is not a string.
        ValueError: ``name`` is empty.

    Examples:
        >>> class Recorder(ManagerMixin):
        ...     def __init__(self, name=""):
        ...         super().__init__(name)
        >>> Recorder.get_instance("train") is Recorder.get_instance("train")
        True
    """

    _instance_dict: dict[str, Any]

    def __init__(self, name: str = "", **kwargs: Any) -> None:
        _check_name(type(self), name)
        self._instance_name = name

    @classmethod
    def get_instance(cls: type[T], name: str, **kwargs: Any) -> T:
        """Return the instance called ``name``, creating it where there is none yet.

        Args:
            name: Name of the instance.
            **kwargs: Passed to the constructor. Where the instance exists already, they are not
                used, and a warning says so.

        Raises:
            TypeError: ``name`` is not a string.
        """
        if not isinstance(name, str):
            _check_name(cls, name)
        with _lock:
            found = cls._instance_dict.get(name)
            if found is None:
                # In the table only once the constructor is through: a failure leaves no trace.
                instance = cls(name=name, **kwargs)
                found = cls._instance_dict.setdefault(name, instance)
                kwargs = {}
        if kwargs:
            _warn_of_unused(cls, name, kwargs)
        return found

    @classmethod
    def get_current_instance(cls: type[T]) -> T:
        """Return the instance that was created last.

        Raises:
            NoInstanceError: No instance has been created; a ``RuntimeError`` and, as documented,
                an ``AssertionError``.
        """
        with _lock:
            if not cls._instance_dict:
                raise NoInstanceError(
                    f"{cls.__name__} has no instance yet: call "
                    f"{cls.__name__}.get_instance(name=...) before get_current_instance()"
                )
            return cls._instance_dict[next(reversed(cls._instance_dict))]

    @classmethod
    def drop_instance(cls, name: str) -> None:
        """Forget the instance called ``name``, if there is one; whoever has it can go on using it.

        Args:
            name: Name of the instance.
        """
        with _lock:
            cls._instance_dict.pop(name, None)

    @classmethod
    def check_instance_created(cls, name: str) -> bool:
        """Return whether an instance called ``name`` exists."""
        with _lock:
            return name in cls._instance_dict

    @property
    def instance_name(self) -> str:
        """Name of the instance."""
        return self._instance_name


def _warn_of_unused(cls: type, name: str, kwargs: dict[str, Any]) -> None:
    import warnings

    warnings.warn(
        f"{cls.__name__} has an instance called {name!r} already, which stays as it is: "
        f"{', '.join(kwargs)} not used",
        UserWarning,
        stacklevel=3,
    )


def _check_name(cls: type, name: object) -> None:
    if not isinstance(name, str):
        raise ArgumentTypeError(
            f"the name of a {cls.__name__} must be a string, but it is a {type(name).__name__}"
        )
    if not name:
        raise ArgumentValueError(f"the name of a {cls.__name__} must not be empty")


def _renew_lock() -> None:
    # A child forked while another thread held the lock would wait for it forever.
    global _lock  # noqa: PLW0603
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
