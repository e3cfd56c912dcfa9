"""Errors of settings of a runner that cannot be right.

Some are of a second kind as well, which code of the OpenMMLab family catches.
"""

from eng.utils import UserError

__all__ = [
    "MissingLoopError",
    "RunnerAssertionError",
    "RunnerConfigError",
    "RunnerTypeError",
]


class RunnerConfigError(UserError, ValueError):
    """A setting of the runner is missing, unknown, or of a kind that it cannot have."""


class RunnerTypeError(RunnerConfigError, TypeError):
    """A setting of the runner is of a wrong type."""


class RunnerAssertionError(RunnerConfigError, AssertionError):
    """A setting of a part of the runner contradicts another, or is incomplete."""


class MissingLoopError(RunnerConfigError, AttributeError, RuntimeError):
    """A loop or its data loader or evaluator is used, but was not given to the runner.

    It is an :class:`AttributeError` too, so that ``hasattr(runner, 'val_dataloader')`` answers.
    """
