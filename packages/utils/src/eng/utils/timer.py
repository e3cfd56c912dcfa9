"""Measure wall time."""

from __future__ import annotations

from time import perf_counter
from types import TracebackType

__all__ = ["Timer", "TimerError", "check_time"]


class TimerError(Exception):
    """A timer is not running.

    Args:
        message: Error message.
    """

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class Timer:
    """A stopwatch, and a context manager that prints the elapsed time.

    Args:
        start: Whether to start immediately.
        print_tmpl: Text to print at the end of a ``with`` block; ``{}`` stands for the seconds.
            Default: ``"{:.3f}"``.

    Examples:
        >>> with Timer(print_tmpl="it takes {:.1f} seconds"):
        ...     pass
        it takes 0.0 seconds
    """

    def __init__(self, start: bool = True, print_tmpl: str | None = None) -> None:
        self._is_running = False
        self.print_tmpl = print_tmpl or "{:.3f}"
        if start:
            self.start()

    @property
    def is_running(self) -> bool:
        """Whether the timer is running."""
        return self._is_running

    def start(self) -> None:
        """Start the timer, unless it is running, and reset the time of the last check."""
        if not self._is_running:
            self._started = perf_counter()
            self._is_running = True
        self._checked = perf_counter()

    def since_start(self) -> float:
        """Return the seconds since the start.

        Raises:
            TimerError: The timer is not running.
        """
        self._read()
        return self._checked - self._started

    def since_last_check(self) -> float:
        """Return the seconds since the last check, by this method or :meth:`since_start`.

        Raises:
            TimerError: The timer is not running.
        """
        before = self._read()
        return self._checked - before

    def _read(self) -> float:
        if not self._is_running:
            raise TimerError("timer is not running")
        before, self._checked = self._checked, perf_counter()
        return before

    def __enter__(self) -> Timer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        print(self.print_tmpl.format(self.since_last_check()))
        self._is_running = False


_timers: dict[str, Timer] = {}


def check_time(timer_id: str) -> float:
    """Return the seconds since the last call with the same name; 0 for the first call.

    Args:
        timer_id: Name of the timer, which the first call starts.

    Examples:
        >>> for item in range(3):
        ...     seconds = check_time("task")
    """
    timer = _timers.get(timer_id)
    if timer is None:
        _timers[timer_id] = Timer()
        return 0.0
    return timer.since_last_check()
