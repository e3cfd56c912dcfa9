"""Errors of arguments of hooks.

Each is of the kinds that code of the OpenMMLab family catches as well.
"""

__all__ = ["HookArgumentError", "HookKeyError", "HookTypeError"]


class HookArgumentError(ValueError, AssertionError):
    """Arguments of a hook cannot be right, or contradict each other."""


class HookTypeError(HookArgumentError, TypeError):
    """An argument of a hook is of a wrong type."""


class HookKeyError(HookArgumentError, KeyError):
    """An argument of a hook is not one of the known words, or a metric is missing."""

    def __str__(self) -> str:  # that of a KeyError puts its message into quotes
        return Exception.__str__(self)
