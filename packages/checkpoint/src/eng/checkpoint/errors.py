"""Errors of invalid and corrupt checkpoints."""

from eng.utils import UserError

__all__ = ["CheckpointError"]


class CheckpointError(UserError, RuntimeError):
    """A checkpoint that cannot be read, is corrupt, or lacks required entries."""
