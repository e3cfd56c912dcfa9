"""Keep a run alive when a backend cannot record."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

__all__ = ["RecordingGuard"]

ParamsT = ParamSpec("ParamsT")
ResultT = TypeVar("ResultT")

# Errors of the caller are raised: invalid arguments (the engine's own argument errors are assertion
# errors too), and backends that are incomplete or lack a package.
_FAULTS_OF_CALLERS = (
    TypeError, AssertionError, AttributeError, NameError, NotImplementedError, ImportError,
)  # fmt: skip
#: Maximum number of calls that are skipped before the next attempt.
_LONGEST_PAUSE = 512


class RecordingGuard:
    """Calls a backend, reports its first failure, and retries with exponential backoff.

    Each failure in a row doubles the number of calls that are skipped, since a tracker that cannot
    be reached may take a minute to time out. After a success, no call is skipped.

    Args:
        name: Name of the backend, for the warning.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._failures = 0
        self._to_skip = 0
        self._is_reported = False

    def call(
        self,
        method: Callable[ParamsT, ResultT],
        *args: ParamsT.args,
        **kwargs: ParamsT.kwargs,
    ) -> ResultT | None:
        """Call a method of the backend.

        Args:
            method: The method.
            *args: Its arguments.
            **kwargs: Its keyword arguments.

        Returns:
            Its result, None if it was skipped or failed.

        Raises:
            Exception: An error of the caller, such as an invalid argument.
        """
        if self._to_skip and method.__name__ != "close":
            self._to_skip -= 1
            return None
        try:
            result = method(*args, **kwargs)
        except _FAULTS_OF_CALLERS:
            raise
        except Exception as error:
            self._pause(error)
            return None
        self._failures = self._to_skip = 0
        return result

    def _pause(self, error: Exception) -> None:
        self._failures += 1
        self._to_skip = min(2**self._failures - 1, _LONGEST_PAUSE)
        if not self._is_reported:
            self._is_reported = True
            warnings.warn(
                f"{self._name} cannot record: {type(error).__name__}: {error}. The run continues "
                "without it and retries with increasing pauses; this warning is shown once",
                stacklevel=4,
            )
