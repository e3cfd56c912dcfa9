"""Measure the average time of functions and code blocks."""

import functools
import logging
import time
from collections.abc import Callable
from typing import ClassVar, ParamSpec, TypeVar

import torch

from eng.device import get_device
from eng.logging import print_log
from eng.utils import ArgumentValueError

__all__ = ["TimeCounter"]

P = ParamSpec("P")
R = TypeVar("R")


class TimeCounter:
    """Averages the time of a function (as a decorator) or of a block (as a context manager).

    Args:
        log_interval: Number of runs between two messages.
        warmup_interval: Number of runs at the start that are not counted.
        with_sync: Whether to synchronize the accelerator before reading the clock.
        tag: Name in the messages; the name of the function when None. Contexts with the same tag
            are counted together.
        logger: Logger of the messages; they are printed when None.

    Raises:
        ValueError: If ``log_interval`` is below 1 or ``warmup_interval`` is negative.
    """

    #: The latest instance of each tag.
    instance_dict: ClassVar[dict[str, "TimeCounter"]] = {}

    def __init__(
        self,
        log_interval: int = 1,
        warmup_interval: int = 1,
        with_sync: bool = True,
        tag: str | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        if log_interval < 1 or warmup_interval < 0:
            raise ArgumentValueError(
                f"log_interval must be at least 1 and warmup_interval at least 0, not "
                f"{log_interval} and {warmup_interval}"
            )
        self.log_interval = log_interval
        self.warmup_interval = warmup_interval
        self.with_sync = with_sync
        self.tag = tag
        self.logger = logger
        self._count, self._total = 0, 0.0
        if tag is not None:
            # in a loop, each iteration creates an instance: it continues the count of the last one
            earlier = self.instance_dict.get(tag)
            if earlier is not None:
                self._count, self._total = earlier._count, earlier._total
            self.instance_dict[tag] = self

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Wrap a function to measure its time."""
        if self.tag is None:
            self.tag = function.__name__

        @functools.wraps(function)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            start = self._read_clock()
            result = function(*args, **kwargs)
            self.print_time(self._read_clock() - start)
            return result

        return timed

    def __enter__(self) -> "TimeCounter":
        if self.tag is None:
            raise ArgumentValueError("a TimeCounter requires a tag as a context manager")
        self._start = self._read_clock()
        return self

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        if kind is None:
            self.print_time(self._read_clock() - self._start)

    def print_time(self, elapsed: float) -> None:
        """Count a run, and print the average every ``log_interval`` runs.

        Args:
            elapsed: Duration of the run in seconds.
        """
        self._count += 1
        counted = self._count - self.warmup_interval
        if counted < 1:
            # reported, since no other run may follow
            if self.log_interval == 1:
                self._print(elapsed, 1)
            return
        self._total += elapsed
        if counted % self.log_interval == 0:
            self._print(self._total / counted, counted)

    def _print(self, average: float, runs: int) -> None:
        print_log(
            f"[{self.tag}]-time per run averaged in the past {runs} runs: {average * 1000:.1f} ms",
            self.logger,
        )

    def _read_clock(self) -> float:
        kind = get_device()
        if self.with_sync and kind != "cpu":
            getattr(torch, kind).synchronize()
        return time.perf_counter()
