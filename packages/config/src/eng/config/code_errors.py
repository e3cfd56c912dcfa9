"""Report errors of the code of a config with their line."""

from __future__ import annotations

import builtins
import os
import sysconfig
from types import TracebackType

from .errors import (
    CodeAssertionError,
    CodeAttributeError,
    CodeIndexError,
    CodeNameError,
    CodeZeroDivisionError,
    ConfigError,
)
from .missing import MissingKeyError, closest
from .origins import Origin

__all__ = ["explain_code"]

# Errors of these classes, not of classes derived from them, whose arguments are unknown.
_KINDS: dict[type[Exception], type[ConfigError]] = {
    NameError: CodeNameError,
    UnboundLocalError: CodeNameError,
    AttributeError: CodeAttributeError,
    MissingKeyError: CodeAttributeError,
    IndexError: CodeIndexError,
    ZeroDivisionError: CodeZeroDivisionError,
    AssertionError: CodeAssertionError,
    TypeError: ConfigError,
    ValueError: ConfigError,
    KeyError: ConfigError,
}
_OTHER_LANGUAGES = {"true": "True", "false": "False", "null": "None", "none": "None"}
_LIBRARY = sysconfig.get_path("stdlib")


def explain_code(error: Exception, file: str, origin: Origin) -> Exception:
    """Return an error of the code of a config with its line.

    Args:
        error: The error.
        file: Path of the config.
        origin: Its innermost line.

    Returns:
        An error of the same class that is a ``ConfigError``. Errors of further classes get a note.
        Those of code elsewhere, such as a function that the config calls, are returned unchanged:
        their traceback is needed.
    """
    if not _is_of_config(error.__traceback__, file):
        return error
    kind = _KINDS.get(type(error))
    if kind is None:
        # The same as BaseException.add_note, which Python 3.10 does not have.
        notes = getattr(error, "__notes__", [])
        error.__notes__ = [*notes, f"raised in {origin}"]  # type: ignore[attr-defined]
        return error
    if isinstance(error, KeyError) and _raised_in(error) in (os.__file__, "<frozen os>"):
        return kind(f"the environment variable {error.args[0]} is not set", origin)
    name = "" if isinstance(error, (NameError, AttributeError)) else f"{type(error).__name__}: "
    return kind(f"{name}{error}{_find_hint(error)}".removesuffix(": "), origin)


def _is_of_config(traceback: TracebackType | None, file: str) -> bool:
    """Return whether the config, or the standard library that it calls, raised the error."""
    is_within = False
    while traceback is not None:
        raised_in = traceback.tb_frame.f_code.co_filename
        if raised_in == file:
            is_within = True
        elif is_within and not _is_of_library(raised_in):
            return False
        traceback = traceback.tb_next
    return is_within


def _raised_in(error: Exception) -> str | None:
    file, traceback = None, error.__traceback__
    while traceback is not None:
        file, traceback = traceback.tb_frame.f_code.co_filename, traceback.tb_next
    return file


def _is_of_library(file: str) -> bool:
    is_frozen = file.startswith("<frozen")
    return is_frozen or (file.startswith(_LIBRARY) and "site-packages" not in file)


def _find_hint(error: Exception) -> str:
    if not isinstance(error, NameError) or not error.name:
        return ""
    if error.name in _OTHER_LANGUAGES:
        return f"; did you mean {_OTHER_LANGUAGES[error.name]!r}?"
    traceback = error.__traceback__
    names = [*vars(builtins)]
    while traceback is not None:
        frame, traceback = traceback.tb_frame, traceback.tb_next
        if traceback is None:
            names = [*frame.f_locals, *frame.f_globals, *names]
    return closest(error.name, names)
