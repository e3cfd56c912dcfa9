"""Classes whose instances are shared by name within the process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from .errors import ArgumentTypeError, ArgumentValueError

__all__ = ["ManagerMeta", "ManagerMixin", "NoInstanceError"]

T = TypeVar("T", bound="ManagerMixin")

#: Instances by name, of whichever class has the table.
Instances: TypeAlias = "dict[str, Any]"

# One lock for all classes: the constructor of a managed instance may get an instance of another
# managed class, and with a lock for each class two threads could deadlock.
_lock = threading.RLock()


class NoInstanceError(RuntimeError, AssertionError):
    """A class has no instance yet."""


def _takes_name(function: Callable[..., object]) -> bool:
    code = getattr(function, "__code__", None)
    if code is not None:
        inner = getattr(function, "__wrapped__", None)
        return "name" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] or (
            inner is not None and _takes_name(inner)
        )
    import inspect

    return "name" in inspect.signature(function).parameters


class ManagerMeta(type):
    """Metaclass of classes whose instances are shared by name.

    Each class gets its own table of instances. Its constructor must accept ``name``.

    Raises:
        AssertionError: The constructor of the class has no argument ``name``.

    Examples:
        >>> class Managed(metaclass=ManagerMeta):
        ...     def __init__(self, name):
        ...         pass
    """

    def __init__(cls, *args: Any) -> None:
        cls._instance_dict: Instances = {}
        #: Tables that `isolated` has put aside, the outermost first.
        cls._tables_aside: list[Instances] = []
        if not _takes_name(cls.__init__):  # type: ignore[misc]
            # Raised explicitly, since `python -O` removes assert statements.
            raise AssertionError(f"{cls}.__init__ must have the name argument.")
        super().__init__(*args)


class ManagerMixin(metaclass=ManagerMeta):
    """Base class of classes whose instances are shared by name.

    Thread-safe: if several threads request the same new name, one creates the instance and all
    get it.

    Args:
        name: Name of the instance, not empty. Instances created by calling the class instead of
            :meth:`get_instance` are not shared.

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

    _instance_dict: Instances
    _tables_aside: list[Instances]

    def __init__(self, name: str = "", **kwargs: object) -> None:
        _check_name(type(self), name)
        self._instance_name = name

    @classmethod
    def get_instance(cls: type[T], name: str, **kwargs: Any) -> T:
        """Return the instance called ``name``, and create it if it does not exist.

        Args:
            name: Name of the instance.
            **kwargs: Passed to the constructor. If the instance already exists, they are ignored
                with a warning.

        Raises:
            TypeError: ``name`` is not a string.
        """
        if not isinstance(name, str):
            _check_name(cls, name)
        with _lock:
            found = cls._instance_dict.get(name)
            if found is None:
                # Added after the constructor, so that a failed one leaves nothing in the table.
                instance = cls(name=name, **kwargs)
                found = cls._instance_dict.setdefault(name, instance)
                kwargs = {}
        if kwargs:
            _warn_of_unused(cls, name, kwargs)
        return found

    @classmethod
    def get_current_instance(cls: type[T]) -> T:
        """Return the instance that was most recently created, or made current.

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
    def make_current(cls, name: str) -> None:
        """Make an instance the one that :meth:`get_current_instance` returns.

        Args:
            name: Name of the instance. Without one of that name nothing changes.
        """
        with _lock:
            table = cls._instance_dict
            if name in table:
                table[name] = table.pop(name)

    @classmethod
    def drop_instance(cls, name: str) -> None:
        """Remove the instance called ``name``, if it exists. References to it stay valid.

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

    @classmethod
    @contextmanager
    def isolated(cls: type[T]) -> Iterator[Mapping[str, T]]:
        """Hide all instances of the class and of its subclasses within a ``with`` block.

        The block starts without instances. At its end, also after an error, those of the block are
        forgotten and those before are back, in their order. Tests use it to leave nothing behind:
        ``ManagerMixin.isolated()`` isolates the instances of all classes.

        It applies to the whole process, other threads included. Blocks may be nested, and those of
        several threads may end in any order. An object that holds an instance keeps it; files
        that an instance has opened are not closed.

        Yields:
            The instances of the class that the block has created, by name; a live view.

        Examples:
            >>> class Recorder(ManagerMixin):
            ...     def __init__(self, name=""):
            ...         super().__init__(name)
            >>> outer = Recorder.get_instance("train")
            >>> with Recorder.isolated() as recorders:
            ...     inner = Recorder.get_instance("train")
            ...     list(recorders)
            ['train']
            >>> inner is outer, Recorder.get_instance("train") is outer
            (False, True)
        """
        with _lock:
            tables: dict[type[ManagerMixin], Instances] = {}
            for each in _list_family(cls):
                each._tables_aside.append(each._instance_dict)
                tables[each] = each._instance_dict = {}
        try:
            yield MappingProxyType(tables[cls])
        finally:
            with _lock:
                for each in _list_family(cls):
                    _restore_table(each, tables.get(each))

    @property
    def instance_name(self) -> str:
        """Name of the instance."""
        return self._instance_name


def _list_family(cls: type[ManagerMixin]) -> list[type[ManagerMixin]]:
    """Return a class and its subclasses, each once."""
    family = {cls: None}
    for child in cls.__subclasses__():
        family.update(dict.fromkeys(_list_family(child)))
    return list(family)


def _restore_table(cls: type[ManagerMixin], isolated: Instances | None) -> None:
    """End the use of a table; None for a class that was defined within the block."""
    aside = cls._tables_aside
    if isolated is None:
        if aside:
            aside[0] = {}
        else:
            cls._instance_dict = {}
        return
    # A block that began later, in another thread, may end later too and still use its own table.
    hidden = [number for number, table in enumerate(aside) if table is isolated]
    if hidden:
        del aside[hidden[0]]
    else:
        cls._instance_dict = aside.pop()


def _warn_of_unused(cls: type, name: str, kwargs: Mapping[str, object]) -> None:
    import warnings

    warnings.warn(
        f"{cls.__name__} already has an instance called {name!r}, which is returned unchanged: "
        f"{', '.join(kwargs)} ignored",
        UserWarning,
        stacklevel=3,
    )


def _check_name(cls: type, name: object) -> None:
    if not isinstance(name, str):
        raise ArgumentTypeError(
            f"the name of a {cls.__name__} must be a string, but got {type(name).__name__}"
        )
    if not name:
        raise ArgumentValueError(f"the name of a {cls.__name__} must not be empty")


def _renew_lock() -> None:
    # A child forked while another thread holds the lock would wait for it forever.
    global _lock  # noqa: PLW0603
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
