"""What is raised for settings of a runner that cannot be right."""

__all__ = ["RunnerConfigError"]


class RunnerConfigError(ValueError):
    """A setting of the runner is missing, unknown, or of a kind that it cannot have."""
