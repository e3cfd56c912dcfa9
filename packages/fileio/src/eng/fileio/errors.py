"""Errors with additional base classes that code of the OpenMMLab family catches."""

from .override import override

__all__ = ["ArgumentTypeError", "ArgumentValueError", "BackendExistsError"]


class ArgumentTypeError(TypeError, AssertionError):
    """An argument has the wrong type."""


class ArgumentValueError(ValueError, AssertionError):
    """An argument has an invalid value."""


class BackendExistsError(ValueError, KeyError, AssertionError):
    """A name or prefix is already registered for a storage backend."""

    @override
    def __str__(self) -> str:
        # KeyError shows its message in quotes.
        return str(self.args[0]) if self.args else ""
