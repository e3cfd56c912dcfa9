"""Decide which of two registrations of a name takes precedence."""

from __future__ import annotations

from types import FrameType

from .scope import ROOT_SCOPE

__all__ = ["NOTEBOOK", "is_of_engine", "is_run_again"]

#: Module of the cells of a notebook, and of a script.
NOTEBOOK = "__main__"


def is_of_engine(frame: FrameType) -> bool:
    """Return whether the code of a frame belongs to the engine."""
    module = str(frame.f_globals.get("__name__"))
    return module == ROOT_SCOPE or module.startswith(f"{ROOT_SCOPE}.")


def is_run_again(new: object, old: object) -> bool:
    """Return whether a class or function is the same one of a notebook, of a cell run again."""
    modules = {getattr(each, "__module__", None) for each in (new, old)}
    names = {getattr(each, "__qualname__", None) for each in (new, old)}
    return modules == {NOTEBOOK} and len(names) == 1 and None not in names
