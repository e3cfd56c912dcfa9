"""Tell an error in one line where the person can mend what is wrong."""

from __future__ import annotations

import traceback

from eng.utils import UserError

__all__ = ["is_of_the_user", "one_line"]


def is_of_the_user(error: BaseException) -> bool:
    """Whether the person who runs a command can mend what is wrong.

    Args:
        error: The error.

    Returns:
        True for a :class:`eng.utils.UserError`, a file or module that cannot be read, and wrong
        arguments of what a config builds, for which a note says which part it is.
    """
    if isinstance(error, (UserError, OSError, SyntaxError, ImportError)):
        return True
    return isinstance(error, (TypeError, ValueError, KeyError)) and bool(_notes(error))


def one_line(error: BaseException) -> str:
    """Return what an error says as one line.

    Args:
        error: The error. Of its notes the first one is told, which is about the innermost part.

    Returns:
        The line, which names the file where there is one.
    """
    if isinstance(error, SyntaxError):
        text = f"{error.filename}, line {error.lineno}: {error.msg}"
    elif isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror or error}"
    else:
        text = str(error) or "".join(traceback.format_exception_only(error)).strip()
    return " ".join([*text.split(), *(f"({note})" for note in _notes(error)[:1])])


def _notes(error: BaseException) -> list[str]:
    return list(getattr(error, "__notes__", []))
