"""Check that an object imported by its dotted path is of the kind that a registry builds."""

from __future__ import annotations

import functools
import sys
from typing import NamedTuple

__all__ = ["Kind", "find_mismatch"]

# Plain data and arithmetic of the standard library: harmless wherever it is called.
_HARMLESS = "array cmath collections fractions itertools math operator statistics"
_HARMLESS_BUILTINS = """abs all any bool bytearray bytes complex dict divmod enumerate filter float
    frozenset int iter len list map max min next object range repr reversed round set slice sorted
    str sum tuple zip"""
# Refused by registries without a kind as well: these run commands or code, or open files.
_UNSAFE = """asyncio builtins code codeop concurrent ctypes dbm fileinput ftplib http importlib io
    mailbox marshal mmap multiprocessing nt os pickle pkgutil poplib posix pty runpy shelve shutil
    signal smtplib socket socketserver sqlite3 subprocess sys tarfile telnetlib tempfile threading
    timeit trace urllib webbrowser xmlrpc zipapp zipfile zipimport"""


class Kind(NamedTuple):
    """Description of the objects that a registry builds.

    Classes are recognized by the names that they define or inherit, so that the base class of a
    kind, which another package defines, need not be imported.

    Attributes:
        text: The kind in words with an article, ``"a hook"``, for messages.
        members: Groups of names. A class is of the kind if it has all names of one group.
        excluded: Names that no class of the kind has.
        functions: Whether the kind is functions instead of classes.
    """

    text: str
    members: tuple[tuple[str, ...], ...] = ((),)
    excluded: tuple[str, ...] = ()
    functions: bool = False


def find_mismatch(found: object, kind: Kind | None) -> str | None:
    """Return the reason why an object is not of a kind, or None if it is.

    Args:
        found: The object.
        kind: The kind. None accepts classes and functions of any kind, except those of the
            standard library that run commands or code.
    """
    target = _unwrap_partial(found)
    if not callable(target):
        return f"a {type(target).__name__}, which cannot be called"
    is_class = isinstance(target, type)
    named = f"the {'class' if is_class else 'function'} {_locate(target)}"
    if _is_of_standard_library(target, is_strict=kind is not None or not is_class):
        return f"{named} of the standard library"
    if kind is None or kind.functions:
        return None
    if not isinstance(target, type):
        return f"{named}, and functions are not built here"
    return None if _has_members(target, kind) else named


def _unwrap_partial(found: object) -> object:
    while isinstance(found, functools.partial):
        found = found.func
    return found


def _has_members(target: type, kind: Kind) -> bool:
    # Not by hasattr, which finds the `__call__` of the metaclass in every class.
    names = {name for each in target.__mro__ for name in vars(each)}
    if any(name in names for name in kind.excluded):
        return False
    return any(all(name in names for name in group) for group in kind.members)


def _is_of_standard_library(target: object, is_strict: bool) -> bool:
    module, name = _find_module(target), getattr(target, "__name__", "")
    top = module.partition(".")[0]
    # The C part of a module, such as _io, counts as the module.
    if top not in sys.stdlib_module_names:
        return False
    plain = top.lstrip("_")
    if top == "builtins":
        return name not in _HARMLESS_BUILTINS.split()
    if plain in _HARMLESS.split():
        return False
    return is_strict or plain in _UNSAFE.split()


def _find_module(target: object) -> str:
    module = getattr(target, "__module__", None)
    if module is None:  # a method of a class in C, such as `pathlib.Path.unlink` of some versions
        owner = getattr(target, "__objclass__", None) or getattr(target, "__self__", None)
        owner = owner if isinstance(owner, type) else type(owner)
        module = getattr(owner, "__module__", None)
    return str(module or type(target).__module__)


def _locate(target: object) -> str:
    name = getattr(target, "__qualname__", None) or getattr(target, "__name__", None)
    return f"{_find_module(target)}.{name or type(target).__name__}"
