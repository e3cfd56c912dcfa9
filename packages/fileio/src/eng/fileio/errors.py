"""Errors that are of an older class as well, which code of the OpenMMLab family catches."""

from .override import override

__all__ = ["ArgumentTypeError", "ArgumentValueError", "BackendExistsError"]


class ArgumentTypeError(TypeError, AssertionError):
    """An argument has a wrong type."""


class ArgumentValueError(ValueError, AssertionError):
    """An argument has an invalid value."""


class BackendExistsError(ValueError, KeyError, AssertionError):
    """A name or a prefix belongs to a storage backend already."""

    @override
    def __str__(self) -> str:
        # KeyError would show the message in quotes.
        return str(self.args[0]) if self.args else ""
