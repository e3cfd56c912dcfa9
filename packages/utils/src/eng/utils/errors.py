"""User errors, and argument errors that are assertion errors too.

Code of the OpenMMLab family catches AssertionError around calls whose arguments were checked with
``assert``. Each argument error is both the fitting builtin error and an AssertionError.
"""

from __future__ import annotations

from .types import override

__all__ = [
    "ArgumentIndexError",
    "ArgumentKeyError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "InvalidSettingError",
    "UserError",
]


class UserError(Exception):
    """A mistake that the user of a command can fix.

    The message says what is wrong, where, and what would be accepted. The ``eng`` command reports
    it in one line, without a traceback.

    Attributes:
        problems: Several mistakes, which are reported in a line each. Empty: the message is the
            only one.
    """

    problems: tuple[str, ...] = ()


class InvalidSettingError(UserError, ValueError):
    """A setting that the user chose, such as an option or a variable of the shell, is invalid."""


class ArgumentTypeError(TypeError, AssertionError):
    """An argument has the wrong type."""


class ArgumentValueError(ValueError, AssertionError):
    """An argument has an invalid value."""


class ArgumentIndexError(IndexError, AssertionError):
    """An index is out of bounds."""


class ArgumentKeyError(KeyError, AssertionError):
    """A key is unknown."""

    @override
    def __str__(self) -> str:
        # KeyError shows its message in quotes.
        return str(self.args[0]) if self.args else ""
