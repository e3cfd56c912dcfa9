"""Errors of settings of a runner that cannot be right.

Some are of a second kind as well, which code of the OpenMMLab family catches.
"""

from collections.abc import Iterable

from eng.utils import UserError, override

__all__ = [
    "ConfigProblemsError",
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


class ConfigProblemsError(RunnerTypeError, KeyError):
    """The parts of a run cannot be built; the error has all mistakes of the config.

    It is a :class:`KeyError` and a :class:`TypeError`, as unknown types and arguments are.

    Args:
        problems: The mistakes, with file, line and key.
    """

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))

    @override
    def __str__(self) -> str:
        # KeyError shows its message in quotes.
        return str(self.args[0])


class MissingLoopError(RunnerConfigError, AttributeError, RuntimeError):
    """A loop or its data loader or evaluator is used, but was not given to the runner.

    It is an :class:`AttributeError` too, so that ``hasattr(runner, 'val_dataloader')`` answers.
    """
