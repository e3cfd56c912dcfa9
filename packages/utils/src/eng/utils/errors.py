"""Errors of arguments, which are assertion errors too.

Code of the OpenMMLab family catches AssertionError around calls whose arguments were checked by
``assert``. Each class here is the error that fits and that one as well.
"""

from __future__ import annotations

__all__ = [
    "ArgumentIndexError",
    "ArgumentKeyError",
    "ArgumentTypeError",
    "ArgumentValueError",
]


class ArgumentTypeError(TypeError, AssertionError):
    """An argument has a wrong type."""


class ArgumentValueError(ValueError, AssertionError):
    """An argument has an invalid value."""


class ArgumentIndexError(IndexError, AssertionError):
    """An index is out of bounds."""


class ArgumentKeyError(KeyError, AssertionError):
    """A key is unknown."""

    def __str__(self) -> str:
        # KeyError would show the message in quotes.
        return str(self.args[0]) if self.args else ""
