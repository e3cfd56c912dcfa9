"""Keep a run going when what it records cannot be written."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["RecordingGuard"]

ResultT = TypeVar("ResultT")

# Faults of the caller, which are raised: wrong arguments (the engine's own errors of arguments are
# assertion errors too), and backends that lack something, a package among them.
_FAULTS_OF_CALLERS = (
    TypeError, AssertionError, AttributeError, NameError, NotImplementedError, ImportError,
)  # fmt: skip
#: Most calls that are skipped before the next attempt.
_LONGEST_PAUSE = 512


class RecordingGuard:
    """Calls of one backend, of which a failure is reported once.

    Each failure in a row doubles the number of calls that are skipped, since a tracker that is out
    of reach may take a minute to say so. A backend that writes again is used as before.

    Args:
        name: Name of the backend, for the warning.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._failures = 0
        self._to_skip = 0
        self._is_reported = False

    def call(self, method: Callable[..., ResultT], *args: Any, **kwargs: Any) -> ResultT | None:
        """Call a method of the backend.

        Args:
            method: The method.
            *args: Its arguments.
            **kwargs: Its arguments by name.

        Returns:
            What it returns, None where it was not called or failed.

        Raises:
            Exception: A fault of the caller, such as a wrong argument.
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
                f"{self._name} cannot record: {type(error).__name__}: {error}. The run goes on "
                "without, tries again now and then, and does not repeat this warning",
                stacklevel=4,
            )
