"""What is raised for a file that is no checkpoint."""

from eng.utils import UserError

__all__ = ["CheckpointError"]


class CheckpointError(UserError, RuntimeError):
    """A checkpoint could not be read, or does not hold what it should."""
