"""Interrupt training by a signal or a time limit without losing progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from typing import TypeVar

from eng.dataset import RawRandomState

from .agreement import Agreement
from .counts import check_count
from .duration import seconds_of
from .known_settings import check_settings
from .progress import Progress
from .requeue import signals_to_requeue
from .signals import BrokenOff, SignalWatch, check_signals
from .types import Settings

__all__ = ["Interruption"]

Item = TypeVar("Item")
_SETTINGS = ("signals", "time_limit", "requeue", "interval")


class Interruption:
    """Ends training between two iterations after a signal or at a time limit.

    Loops take batches through :meth:`fetch` in training and :meth:`fetch_to_validate` in
    validation. When these raise :class:`BrokenOff`, all processes are at the end of the same
    iteration, and random numbers are in the state of that point, even if a batch was pending.

    Args:
        settings: ``signals``: names of those that are handled (default: ``SIGTERM``, ``SIGINT`` and
            ``SIGUSR1``, each unless the program has a handler of its own). ``time_limit``: of one
            call of ``train()``, in seconds or as ``'[days-]hours:minutes:seconds'`` (default:
            none).
            ``requeue``: whether Slurm starts the job again after ``SIGUSR1``, ``SIGUSR2`` or the
            time limit, or the names of the signals after which (default: False). ``interval``:
            iterations of training between two agreements of several processes (default: 1).

    Raises:
        RunnerConfigError: If a setting is unknown or invalid.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        settings = {} if settings is None else settings
        check_settings("interruption", settings, _SETTINGS)
        self._signals: Sequence[str] | None = settings.get("signals")
        check_signals(self._signals)
        self._limit = seconds_of("interruption: time_limit", settings.get("time_limit"))
        self._requeue = signals_to_requeue(settings.get("requeue", False))
        self._interval = check_count("interval", settings.get("interval", 1), of="interruption")
        self._watch: SignalWatch | None = None
        self._agreement = Agreement()
        self._is_alone = True
        #: Whether the next iteration was checked for by :meth:`fetch`; a loop that does not call it
        #: is checked by the runner.
        self.was_fetched = False

    @property
    def is_watching(self) -> bool:
        """Whether training runs that may be interrupted."""
        return self._watch is not None

    @property
    def causes_of_requeue(self) -> Set[int]:
        """Causes after which Slurm is to start the job again."""
        return self._requeue

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Handle signals and the time limit within the block. To be entered in all processes.

        Yields:
            Nothing.

        Raises:
            BrokenOff: If the block was broken off, or has ended after a signal.
        """
        deadline = None if self._limit is None else time.monotonic() + self._limit
        self._agreement.join()
        self._is_alone = self._agreement.is_alone
        with SignalWatch(self._signals, deadline) as watch:
            self._watch = watch
            try:
                yield
            finally:
                self._watch = None
            # A run that has ended in time needs no limit; but a signal is meant for the program.
            if cause := self._agreement.latest(watch.signal):
                raise BrokenOff(cause)

    def fetch(
        self,
        batches: Iterator[Item],
        progress: Progress,
        can_break: bool = True,
        abandon: Callable[[], object] | None = None,
    ) -> Iterator[Item]:
        """Take the batches of training, until it is broken off.

        Args:
            batches: The batches.
            progress: Progress of the run.
            can_break: Whether a wait for a batch may be broken off, or a batch returned.
                Defaults to True.
            abandon: Called if training is broken off, before anything is saved. Defaults to None.

        Yields:
            The batches.

        Raises:
            BrokenOff: If training is to end before the next one.
        """
        may_break = can_break and self._is_alone
        try:
            while True:
                watch = self._watch
                if watch is None or not may_break:
                    item = self._fetch_next(batches, progress.iter, can_break)
                else:  # in nearly all iterations of all runs, so not by a method
                    self.was_fetched = True
                    before = RawRandomState()
                    try:
                        item = watch.take_next(batches)
                    except (BrokenOff, RuntimeError) as error:
                        cause = _find_cause(error, watch)
                        before.restore()
                        raise BrokenOff(cause) from None
                yield item
        except StopIteration:
            return
        except BrokenOff:
            if abandon is not None:
                abandon()
            raise

    def _fetch_next(self, batches: Iterator[Item], iteration: int, can_break: bool) -> Item:
        """Take the next batch of training outside of a run, or agree with other processes."""
        watch = self._watch
        if watch is None:
            return next(batches)
        if not can_break:
            self.check()
            self.was_fetched = True
            return next(batches)
        self.was_fetched = True
        if iteration % self._interval:
            return next(batches)  # the processes agree at another iteration
        before = RawRandomState()
        cause, item, is_end = self._take(batches, watch, may_break=True)
        cause = self._agreement.latest(cause)
        if cause:
            before.restore()
            raise BrokenOff(cause)
        if is_end:
            raise StopIteration
        return item  # type: ignore[return-value]

    def fetch_to_validate(self, batches: Iterator[Item], is_sharded: bool) -> Iterator[Item]:
        """Take the batches of validation, until it is broken off.

        Processes may have different numbers of batches. They agree about once a second.

        Args:
            batches: The batches.
            is_sharded: Whether the processes validate in step, since none of them has the whole
                model.

        Yields:
            The batches.

        Raises:
            BrokenOff: If training is to end.
        """
        if self._watch is None:
            yield from batches
            return
        rounds = self._agreement.rounds(every=is_sharded)
        is_end = False
        while not is_end:
            may_break = rounds.is_due or not is_sharded
            cause, item, is_end = self._take(batches, self._watch, may_break)
            cause = rounds.next(cause, is_end)
            if cause:
                raise BrokenOff(cause)
            if not is_end:
                yield item  # type: ignore[misc]

    def check(self) -> None:
        """End training here if any process received a cause to. To be called in all processes.

        Raises:
            BrokenOff: If so.
        """
        if self._watch is not None and (cause := self._agreement.latest(self._watch.cause)):
            raise BrokenOff(cause)

    @contextmanager
    def may_break(self) -> Iterator[None]:
        """Allow the block to be broken off anywhere, in a single process.

        Yields:
            Nothing.

        Raises:
            BrokenOff: If a signal arrives within the block.
        """
        if self._watch is None or not self._agreement.is_alone:
            yield
            return
        with self._watch.breaking():
            yield

    def _take(
        self, batches: Iterator[Item], watch: SignalWatch, may_break: bool
    ) -> tuple[int, Item | None, bool]:
        """A cause to end, or the next batch, or whether the data has ended."""
        try:
            if may_break:
                return 0, watch.take_next(batches), False
            return watch.cause, next(batches), False
        except StopIteration:
            return watch.cause, None, True
        except (BrokenOff, RuntimeError) as error:
            if not may_break:
                raise
            return _find_cause(error, watch), None, False


def _find_cause(error: BrokenOff | RuntimeError, watch: SignalWatch) -> int:
    """Return the cause that broke off a wait for a batch; raises errors of other causes."""
    if isinstance(error, BrokenOff):
        return error.cause
    # Workers of a data loader may have received the signal as well, and died of it.
    if not watch.cause:
        raise error
    return watch.cause
