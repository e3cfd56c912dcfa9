"""Errors that the person can mend, and errors of arguments, which are assertion errors too.

Code of the OpenMMLab family catches AssertionError around calls whose arguments were checked by
``assert``. Each class of arguments is the error that fits and that one as well.
"""

from __future__ import annotations

from .types import override

__all__ = [
    "ArgumentIndexError",
    "ArgumentKeyError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "UserError",
]


class UserError(Exception):
    """Something is wrong that the person who runs a command can mend.

    Its message says what, where, and what would be accepted. The ``eng`` command shows it as one
    line, without a traceback.
    """


class ArgumentTypeError(TypeError, AssertionError):
    """An argument has a wrong type."""


class ArgumentValueError(ValueError, AssertionError):
    """An argument has an invalid value."""


class ArgumentIndexError(IndexError, AssertionError):
    """An index is out of bounds."""


class ArgumentKeyError(KeyError, AssertionError):
    """A key is unknown."""

    @override
    def __str__(self) -> str:
        # KeyError would show the message in quotes.
        return str(self.args[0]) if self.args else ""
