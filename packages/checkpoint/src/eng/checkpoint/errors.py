"""What is raised for a file that is no checkpoint."""

__all__ = ["CheckpointError"]


class CheckpointError(RuntimeError):
    """A checkpoint could not be read, or does not hold what it should."""
