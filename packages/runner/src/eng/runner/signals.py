"""Watch for signals and a time limit without ending the process at an arbitrary point."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import TypeAlias, TypeVar

from torch.utils.data import get_worker_info

from eng.dist import is_main_process

from .errors import RunnerConfigError

__all__ = [
    "DEFAULT_SIGNALS",
    "TIME_LIMIT",
    "BrokenOff",
    "SignalWatch",
    "check_signals",
    "is_interactive",
    "name_of",
    "number_of",
]

Item = TypeVar("Item")

DEFAULT_SIGNALS = ("SIGTERM", "SIGINT", "SIGUSR1")
#: The cause that is not a signal. Signals take precedence over it where processes differ.
TIME_LIMIT = -1
# A launcher passes on a signal that its processes have got from the system as well.
_SAME_SIGNAL = 3.0 if {"TORCHELASTIC_RUN_ID", "SLURM_JOB_ID"} & set(os.environ) else 0.2
_STOP = b"\0"  # signals begin with 1
_DEFAULT_HANDLERS = (signal.SIG_DFL, signal.default_int_handler)


#: A handler as :func:`signal.getsignal` returns it: None is one that Python did not set.
SignalHandler: TypeAlias = Callable[[int, FrameType | None], object] | int | None


class BrokenOff(BaseException):
    """A block was broken off because of a signal or the time limit.

    Attributes:
        cause: Number of the signal, or :data:`TIME_LIMIT`.
    """

    def __init__(self, cause: int) -> None:
        super().__init__(cause)
        self.cause = cause


class SignalWatch:
    """Records signals within a ``with`` block instead of ending the process.

    The first one is noted in :attr:`cause`; within :meth:`breaking` it breaks off the block as
    well. A second one ends the process at once, wherever it is. Outside of the main thread, where
    Python allows no handlers, only the time limit holds.

    Args:
        names: Names of the signals. None means :data:`DEFAULT_SIGNALS`, without those that the
            program handles or ignores itself.
        deadline: When the time limit ends, as of :func:`time.monotonic`. None for no limit.
    """

    def __init__(self, names: Sequence[str] | None, deadline: float | None) -> None:
        self._names, self._deadline = names, deadline
        self._signal = 0
        self._first_at = 0.0
        self._is_breaking = False
        self._process = os.getpid()
        self._previous: dict[int, SignalHandler] = {}
        self._previous_of_children: SignalHandler = None
        self._thread: _Watcher | None = None

    @property
    def signal(self) -> int:
        """Number of the signal that has arrived, or 0."""
        return self._signal

    @property
    def cause(self) -> int:
        """Number of the signal, :data:`TIME_LIMIT`, or 0 while training may continue."""
        if self._signal:
            return self._signal
        is_over = self._deadline is not None and time.monotonic() >= self._deadline
        return TIME_LIMIT if is_over else 0

    @contextmanager
    def breaking(self) -> Iterator[None]:
        """Break off the block at a signal or the time limit.

        Yields:
            Nothing.

        Raises:
            BrokenOff: If one occurs.
        """
        self._is_breaking = True
        try:
            if self.cause:  # since the last check
                raise BrokenOff(self.cause)
            yield
        finally:
            self._is_breaking = False

    def take_next(self, items: Iterator[Item]) -> Item:
        """Take the next of some items within :meth:`breaking`, at a third of its cost.

        Args:
            items: The items.

        Returns:
            The next one.

        Raises:
            BrokenOff: If the process is to end.
            StopIteration: If there is none.
        """
        self._is_breaking = True
        try:
            if (self._signal or self._deadline is not None) and self.cause:
                raise BrokenOff(self.cause)
            return next(items)
        finally:
            self._is_breaking = False

    def __enter__(self) -> SignalWatch:
        global _active  # noqa: PLW0603 - signals are those of the process
        if threading.current_thread() is not threading.main_thread():
            return self
        for name in DEFAULT_SIGNALS if self._names is None else self._names:
            number = number_of(name)
            if number is None:
                continue
            current = signal.getsignal(number)
            if self._names is not None or current in _DEFAULT_HANDLERS:
                self._previous[number] = signal.signal(number, self._handle)
        if self._previous:
            self._thread = _Watcher.start_for(self._previous, self._deadline)
        _active = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        global _active  # noqa: PLW0603 - signals are those of the process
        if _active is self:
            _active = None
        if self._thread is not None:
            self._thread.stop()
        for number, previous in self._previous.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, signal.SIG_DFL if previous is None else previous)
        if self._previous_of_children is not None:
            signal.signal(signal.SIGCHLD, self._previous_of_children)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            self._handle_in_child(number)
            return
        is_own = self._thread is not None and self._thread.take_own(number)
        if not is_own and self._signal:
            if time.monotonic() - self._first_at > _SAME_SIGNAL:
                _end_at_once(number)
            return
        if not is_own:
            self._signal, self._first_at = number, time.monotonic()
            _report(number)
        self._ignore_dead_workers()
        if self._is_breaking:
            self._is_breaking = False
            raise BrokenOff(self.cause or number)

    def _handle_in_child(self, number: int) -> None:
        """Ignore it in workers of data loaders, which end with their process."""
        if get_worker_info() is not None and number != signal.SIGTERM:
            return
        previous = self._previous.get(number)
        signal.signal(number, signal.SIG_DFL if previous is None else previous)
        os.kill(os.getpid(), number)

    def _ignore_dead_workers(self) -> None:
        """The signal may have killed workers of data loaders: torch would raise an error for it."""
        number = getattr(signal, "SIGCHLD", None)
        if number is None or self._previous_of_children is not None:
            return
        current = signal.getsignal(number)
        if callable(current):
            self._previous_of_children = current
            signal.signal(number, lambda *_: None)


class _Watcher:
    """A thread that receives signals even if the main thread is stuck, and watches the time limit.

    Python runs handlers in the main thread, between two of its instructions; inside of a collective
    there is none. But the number of each signal is written to a socket at once.
    """

    def __init__(self, numbers: set[int], deadline: float | None) -> None:
        self._numbers, self._deadline = numbers, deadline
        self._own: list[int] = []
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._main = threading.get_ident()
        self._thread = threading.Thread(target=self._run, name="eng.runner.signals", daemon=True)

    @classmethod
    def start_for(cls, numbers: Iterable[int], deadline: float | None) -> _Watcher | None:
        """Start one, unless the program has such a socket itself."""
        previous = signal.set_wakeup_fd(-1)
        if previous != -1:
            signal.set_wakeup_fd(previous)
            return None
        watcher = cls(set(numbers), deadline)
        signal.set_wakeup_fd(watcher._writer.fileno(), warn_on_full_buffer=False)
        watcher._thread.start()
        return watcher

    def stop(self) -> None:
        signal.set_wakeup_fd(-1)
        self._writer.send(_STOP)  # forked workers have the socket too: closed, it is open there
        self._thread.join()
        self._writer.close()
        self._reader.close()

    def take_own(self, number: int) -> bool:
        """Whether a signal is the one by which the thread wakes the main thread."""
        if number not in self._own:
            return False
        self._own.remove(number)
        return True

    def _run(self) -> None:
        first_at: float | None = None
        own_heard = 0
        while True:
            left = None if self._deadline is None else self._deadline - time.monotonic()
            if left is not None and left <= 0:
                self._deadline, left = None, None
                own_heard = self._wake_main_thread()
            self._reader.settimeout(left)
            try:
                data = self._reader.recv(64)
            except TimeoutError:
                continue
            if _STOP in data:
                return
            for number in data:
                if number not in self._numbers:
                    continue
                if number == own_heard:
                    own_heard = 0
                elif first_at is None:
                    first_at = time.monotonic()
                elif time.monotonic() - first_at > _SAME_SIGNAL and not is_interactive():
                    _end_at_once(number)

    def _wake_main_thread(self) -> int:
        """Send it one of the signals that it handles, since only that ends a wait."""
        number = min(self._numbers)
        self._own.append(number)
        signal.pthread_kill(self._main, number)
        return number


_active: SignalWatch | None = None


def _leave_parent() -> None:
    """Keep a forked child from writing its signals to the socket of the parent."""
    if _active is not None and _active._thread is not None:
        signal.set_wakeup_fd(-1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_parent)


def is_interactive() -> bool:
    """Whether Python runs interactively, at a prompt or in a notebook."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    in_notebook = get_ipython is not None and get_ipython() is not None
    return in_notebook or hasattr(sys, "ps1") or bool(sys.flags.interactive)


def number_of(name: str) -> int | None:
    """Return the number of a signal, None if the system does not have it."""
    number = getattr(signal, name, None) if name.startswith("SIG") else None
    return int(number) if isinstance(number, signal.Signals) else None


def check_signals(names: object) -> None:
    """Refuse values that are not names of signals that can be watched.

    Args:
        names: The names, or None for the default ones.

    Raises:
        RunnerConfigError: If one is invalid.
    """
    if names is not None and not isinstance(names, (list, tuple)):
        raise RunnerConfigError(
            f"interruption: signals must be a list of names such as ['SIGTERM'], got {names!r}"
        )
    for name in names or ():
        is_known = isinstance(name, str) and (name in DEFAULT_SIGNALS or number_of(name))
        if not is_known or name in ("SIGKILL", "SIGSTOP", "SIGCHLD"):
            raise RunnerConfigError(
                f"interruption: signals: {name!r} is not a signal that can be watched"
            )


def name_of(number: int) -> str:
    """The name of a signal."""
    return signal.Signals(number).name


def _report(number: int) -> None:
    """Report at once. Not by a logger, which the process may be inside of."""
    if is_main_process():
        text = f"\neng: {name_of(number)}: training ends after this iteration, with a checkpoint; "
        os.write(2, f"{text}a second signal ends it at once\n".encode())


def _end_at_once(number: int) -> None:
    if is_interactive():
        raise KeyboardInterrupt
    os._exit(128 + number)
