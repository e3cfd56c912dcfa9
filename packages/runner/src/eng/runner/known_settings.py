"""Refuse settings that nothing reads, and values that are not those of a switch."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from .errors import RunnerConfigError, RunnerTypeError
from .types import Settings

__all__ = ["check_flag", "check_settings"]


def check_settings(name: str, settings: object, known: Sequence[str]) -> None:
    """Refuse values that are not a dict of known settings.

    Args:
        name: Name of the setting that holds them.
        settings: The settings.
        known: Their names.

    Raises:
        RunnerConfigError: If a setting is unknown. The message has the closest name.
    """
    if not isinstance(settings, Mapping):
        is_scalar = isinstance(settings, (bool, int, float, str, type(None)))
        shown = repr(settings) if is_scalar else type(settings).__name__
        raise RunnerTypeError(f"{name} must be a dict, not {shown}")
    for key in sorted(set(settings) - set(known), key=str):
        close = difflib.get_close_matches(str(key), known, n=1)
        hint = f": did you mean {close[0]!r}?" if close else f"; it takes {', '.join(known)}"
        raise RunnerConfigError(f"{name} has an unexpected setting {key!r}{hint}")


def check_flag(cfg: Settings, name: str) -> None:
    """Refuse a setting that is not a bool.

    Args:
        cfg: The config of the run, which may lack it.
        name: Its name.

    Raises:
        RunnerTypeError: If it is something else.
    """
    given = cfg.get(name, False)
    if not isinstance(given, bool):
        raise RunnerTypeError(f"{name} must be True or False, not {given!r}")
