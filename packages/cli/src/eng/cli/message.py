"""Recognize user errors, and format them in one line."""

from __future__ import annotations

import re
import traceback

from eng.utils import UserError

__all__ = ["format_line", "is_of_the_user"]

#: Addresses of objects, which mean nothing to a user, and colours of a terminal.
_NOISE = re.compile(r" at 0x[0-9a-fA-F]+|\x1b\[[0-9;]*m")


def is_of_the_user(error: BaseException) -> bool:
    """Return whether an error is one that the user of a command can fix.

    Args:
        error: The error.

    Returns:
        True for a :class:`eng.utils.UserError`, a file or module that cannot be read, and invalid
        arguments in a config, whose error has a note that names the part.
    """
    if isinstance(error, (UserError, OSError, SyntaxError, ImportError)):
        return True
    return isinstance(error, (TypeError, ValueError, KeyError)) and bool(_read_notes(error))


def format_line(error: BaseException) -> str:
    """Format an error in one line.

    Args:
        error: The error. Only its first note is included, which is of the innermost part.

    Returns:
        The line, with the file if the error has one. Of an error with several problems, a line
        each.
    """
    problems = getattr(error, "problems", ())
    if problems:
        return "\neng: ".join(_join(each) for each in problems)
    if isinstance(error, SyntaxError):
        text = f"{error.filename}, line {error.lineno}: {error.msg}"
    elif isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror or error}"
    else:
        text = str(error) or "".join(traceback.format_exception_only(error)).strip()
    return _join(" ".join([text, *(f"({note})" for note in _read_notes(error)[:1])]))


def _join(text: str) -> str:
    """Join the lines of a message."""
    return _NOISE.sub("", " ".join(text.split()))


def _read_notes(error: BaseException) -> list[str]:
    return list(getattr(error, "__notes__", []))
