"""Distinguish registrations of the engine from those of users, which take precedence."""

from __future__ import annotations

from types import FrameType

from .scope import ROOT_SCOPE

__all__ = ["is_of_engine"]


def is_of_engine(frame: FrameType) -> bool:
    """Return whether the code of a frame belongs to the engine."""
    module = str(frame.f_globals.get("__name__"))
    return module == ROOT_SCOPE or module.startswith(f"{ROOT_SCOPE}.")
