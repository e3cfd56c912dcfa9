"""Decide which of two registrations of a name takes precedence."""

from __future__ import annotations

import importlib
from collections.abc import Collection
from types import FrameType

from .scope import ROOT_SCOPE

__all__ = ["NOTEBOOK", "is_of_engine", "is_run_again", "reloaded_modules"]

#: Module of the cells of a notebook, and of a script.
NOTEBOOK = "__main__"


def is_of_engine(frame: FrameType) -> bool:
    """Return whether the code of a frame belongs to the engine."""
    module = str(frame.f_globals.get("__name__"))
    return module == ROOT_SCOPE or module.startswith(f"{ROOT_SCOPE}.")


def is_run_again(new: object, old: object) -> bool:
    """Return whether a class or function is the same one, of a cell or module that runs again."""
    modules = {getattr(each, "__module__", None) for each in (new, old)}
    names = {getattr(each, "__qualname__", None) for each in (new, old)}
    is_same = len(modules) == len(names) == 1 and None not in names
    return is_same and (modules == {NOTEBOOK} or not modules.isdisjoint(reloaded_modules()))


def reloaded_modules() -> Collection[str]:
    """The modules that :func:`importlib.reload` runs again now, as ``%autoreload`` does, too."""
    return getattr(importlib, "_RELOADING", ())  # said nowhere else
