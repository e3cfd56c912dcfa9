"""Errors of settings of a runner that cannot be right."""

__all__ = ["MissingLoopError", "RunnerConfigError"]


class RunnerConfigError(ValueError):
    """A setting of the runner is missing, unknown, or of a kind that it cannot have."""


class MissingLoopError(RunnerConfigError, AttributeError):
    """A part of a loop was asked for that the runner was not given.

    It is an :class:`AttributeError` too, so that ``hasattr(runner, 'val_dataloader')`` answers.
    """
