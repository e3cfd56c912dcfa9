"""Errors of arguments of hooks.

Each is of the kinds that code of the OpenMMLab family catches as well.
"""

from eng.utils import ArgumentKeyError, ArgumentTypeError, ArgumentValueError, UserError

__all__ = ["HookArgumentError", "HookAssertionError", "HookKeyError", "HookTypeError"]


class HookArgumentError(UserError, ArgumentValueError):
    """Arguments of a hook cannot be right, or contradict each other."""


class HookTypeError(ArgumentTypeError, HookArgumentError):
    """An argument of a hook is of a wrong type."""


class HookKeyError(ArgumentKeyError, HookArgumentError):
    """An argument of a hook is not one of the known words, or a metric is missing."""


class HookAssertionError(HookArgumentError):
    """A part of the run does not meet the requirements of a hook."""
