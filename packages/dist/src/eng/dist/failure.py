"""Waiting for collectives in a way that names the rank at fault when one fails.

Backends report a dead peer as a closed connection, or not at all until a timeout. The key-value
store through which the processes met tells more: a process that ends by an exception writes it
there, and processes whose collective failed sign in, so that who does not is missing.
"""

import atexit
import multiprocessing.util
import os
import re
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import NamedTuple, cast

import torch.distributed as torch_dist
from torch.distributed import ProcessGroup, Work
from torch.distributed.distributed_c10d import Store

from .devices import get_comm_device
from .groups import is_distributed, ranks_of
from .stacks import stack_files

__all__ = [
    "DistributedError",
    "arrive",
    "explain_failures",
    "forget_failures",
    "report_failure",
    "wait",
    "watch_this_process",
]

# how often a waiting process looks whether another one has reported a failure
_GLANCE = timedelta(seconds=1)
# how long to wait for the others to sign in after a failure
_GRACE = 5.0
_PREFIX = "eng/dist"
# how backends tell of a peer that is gone: gloo by plain RuntimeErrors, others by DistError
_TIMED_OUT = re.compile(r"[Tt]imed out")
_LOST = re.compile(r"(closed|reset) by peer|[Bb]roken pipe|Timed out waiting \d+ms|Socket closed")

_barriers_entered: dict[str, int] = defaultdict(int)
_watched_process: int | None = None
# the place of a process that fails, for a report after its group has been destroyed
_kept: "_Place | None" = None
_has_reported = False


class DistributedError(RuntimeError):
    """A collective failed because of another process, which the message names."""


class _Place(NamedTuple):
    """A process in its group, and the store in which the group met."""

    store: Store
    rank: int
    world_size: int


def wait(work: Work | None, operation: str, group: ProcessGroup | None) -> None:
    """Wait for a collective that was started with ``async_op=True``.

    Args:
        work: The collective.
        operation: Its name, for messages.
        group: The group that it runs in.

    Raises:
        DistributedError: It failed, or another process reported a failure meanwhile.
    """
    if work is None:
        return
    if get_comm_device(group).type != "cpu":
        # accelerators work through a queue: this orders the queue and does not block
        work.wait()
        return
    while True:
        try:
            work.wait(_GLANCE)
            return
        except RuntimeError as error:
            if work.is_completed():
                break
            reported = _reported_failures()
            if reported:
                _sign_in()
                raise DistributedError(
                    f"{operation} failed in {_this_rank()}: {reported}"
                ) from error
    try:
        # It may have completed just after the wait for it gave up: only its own outcome counts.
        work.wait()
    except RuntimeError as error:
        cause = _reported_failures() or _missing_ranks() or str(error)
        stacks = stack_files(f"{operation}: {error}") if _TIMED_OUT.search(str(error)) else ""
        raise DistributedError(f"{operation} failed in {_this_rank()}: {cause}{stacks}") from error


@contextmanager
def explain_failures(operation: str) -> Iterator[None]:
    """Name the rank at fault when a connection is lost within a ``with`` block.

    For collectives that PyTorch runs by itself, such as those of ``DistributedDataParallel`` in
    the backward pass. The functions of this package need no such block.

    Args:
        operation: What the block does, for the message.

    Raises:
        DistributedError: Another process has ended or failed; the message names it.
    """
    try:
        yield
    except RuntimeError as error:
        _keep_place()
        cause = _cause(error)
        is_late = not isinstance(error, DistributedError) and _TIMED_OUT.search(str(error))
        stacks = stack_files(f"{operation}: {error}") if is_late else ""
        if cause is not None:
            raise DistributedError(
                f"{operation} failed in {_this_rank()}: {cause}{stacks}"
            ) from error
        if stacks:  # as of a data loader with a timeout
            raise RuntimeError(f"{error}{stacks}") from error
        raise
    except BaseException:
        _keep_place()
        raise


def arrive(group: ProcessGroup | None, timeout: timedelta) -> None:
    """Meet all processes of a group within a timeout.

    Raises:
        TimeoutError: Names the ranks that did not come.
        DistributedError: Another process reported a failure meanwhile.
    """
    name = cast(ProcessGroup, group or torch_dist.group.WORLD).group_name
    ranks = ranks_of(group)
    store, own, _ = _place()
    round_ = _barriers_entered[name] = _barriers_entered[name] + 1

    def key(rank: int, number: int) -> str:
        return f"{_PREFIX}/barrier/{name}/{number}/{rank}"

    store.set(key(own, round_), "")
    # everybody is in this round or the last, so nobody reads the one before any more
    if round_ > 2:
        store.delete_key(key(own, round_ - 2))
    end = time.monotonic() + timeout.total_seconds()
    keys = [key(rank, round_) for rank in ranks]
    while True:
        remaining = end - time.monotonic()
        try:
            store.wait(keys, min(_GLANCE, timedelta(seconds=max(remaining, 0.001))))
            return
        except RuntimeError as error:
            reported = _reported_failures()
            if reported:
                _sign_in()
                raise DistributedError(f"barrier failed in {_this_rank()}: {reported}") from error
            if time.monotonic() < end:
                continue
            missing = [rank for rank in ranks if not store.check([key(rank, round_)])]
            if not missing:  # the last one came just now
                return
            raise TimeoutError(
                f"barrier: after {timeout.total_seconds():g} s {_listed(missing)} had not come "
                f"(seen by {_this_rank()} of a group of {len(ranks)})"
                f"{stack_files('barrier')}"
            ) from error


def watch_this_process() -> None:
    """Have the other processes told of the exception if this process ends by one."""
    global _watched_process  # noqa: PLW0603 - hooks are installed once a process
    here = _place()
    here.store.set(f"{_PREFIX}/process/{here.rank}", f"process {os.getpid()} on {_host()}")
    if _watched_process == os.getpid():
        return
    _watched_process = os.getpid()
    previous = sys.excepthook

    def excepthook(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        previous(kind, error, traceback)
        report_failure(error)

    sys.excepthook = excepthook
    atexit.register(_leave_group)
    # exceptions in children of multiprocessing never get to sys.excepthook
    multiprocessing.util.Finalize(None, _report_current, exitpriority=100)


def _leave_group() -> None:
    """Destroy the group of a program that ends well without having done so.

    Left to the end of the process, threads of the group are cut off while they run, which may
    abort it: a launcher takes that for a failure.
    """
    has_failed = getattr(sys, "last_value", None) is not None
    is_own = _watched_process == os.getpid()
    if is_own and is_distributed() and not has_failed and get_comm_device().type == "cpu":
        torch_dist.destroy_process_group()


def forget_failures() -> None:
    """Let go of the store of an earlier group, before this process joins another one."""
    global _kept, _has_reported
    _kept, _has_reported = None, False


def report_failure(error: BaseException) -> None:
    """Tell the other processes of the exception by which this one ends.

    A process that ends by an uncaught exception does so by itself. A program that catches it, to
    print one line or to destroy the process group, calls this before.

    Args:
        error: The exception. One that is due to another process is not reported. Only the first
            one is.
    """
    global _has_reported  # noqa: PLW0603 - one failure a process
    is_member = is_distributed() or _kept is not None
    if _watched_process != os.getpid() or not is_member or _has_reported:
        return
    _has_reported = True
    try:
        here = _place()
        # who fails because of another is no cause
        cause = _cause(error)
        if cause is not None:
            print(f"eng.dist: {_this_rank()} failed because of another: {cause}", file=sys.stderr)
        elif not isinstance(error, DistributedError):
            here.store.set(f"{_PREFIX}/failed/{here.rank}", f"{type(error).__name__}: {error}")
            here.store.set(f"{_PREFIX}/failed/any", "")
        _sign_in()
        if here.rank == 0:
            # the store usually ends with this process: let the others read it first
            _absentees(_GRACE)
    except RuntimeError as problem:
        print(
            f"eng.dist: the other ranks cannot be told of the failure: {problem}", file=sys.stderr
        )


def _report_current() -> None:
    error = sys.exc_info()[1]
    if isinstance(error, SystemExit):  # which may be how a program ends after an error
        error = None if error.__suppress_context__ else error.__context__
    if error is not None:
        report_failure(error)


def _keep_place() -> None:
    global _kept  # noqa: PLW0603 - one default group a process
    if is_distributed():
        _kept = _place()


def _cause(error: BaseException) -> str | None:
    """Say who is at fault for a lost connection; None for any other error."""
    lost = isinstance(error, torch_dist.DistError) or (
        isinstance(error, RuntimeError) and _LOST.search(str(error)) is not None
    )
    if not lost or isinstance(error, DistributedError) or not (is_distributed() or _kept):
        return None
    return _reported_failures() or _missing_ranks() or str(error)


def _reported_failures() -> str:
    """Say what other processes reported, in the order of ranks; empty if nothing."""
    try:
        store, own, world_size = _place()
        if not store.check([f"{_PREFIX}/failed/any"]):
            return ""
        told = [
            f"rank {rank} failed with {store.get(key).decode()}"
            for rank in range(world_size)
            if rank != own and store.check([key := f"{_PREFIX}/failed/{rank}"])
        ]
        return "; ".join(told)
    except RuntimeError as error:
        return f"rank 0 cannot be reached, it has ended or its machine is down ({error})"


def _missing_ranks() -> str:
    """Say who does not sign in after a failure; empty if all do."""
    _sign_in()
    try:
        absent = _absentees(_GRACE)
        reported = _reported_failures()
        if reported or not absent:
            return reported
        store = _place().store
        who = [
            f"rank {rank}" + (f" ({store.get(key).decode()})" if store.check([key]) else "")
            for rank in absent
            for key in [f"{_PREFIX}/process/{rank}"]
        ]
    except RuntimeError as error:
        return f"rank 0 cannot be reached, it has ended or its machine is down ({error})"
    return f"no sign of life from {', '.join(who)}: killed, or stuck elsewhere"


def _absentees(seconds: float) -> list[int]:
    """Ranks that have neither signed in nor failed, after giving them some time to."""
    store, _, world_size = _place()
    end = time.monotonic() + seconds
    while True:
        absent = [
            rank for rank in range(world_size) if not store.check([f"{_PREFIX}/signed_in/{rank}"])
        ]
        if not absent or time.monotonic() > end:
            return absent
        time.sleep(0.05)


def _sign_in() -> None:
    try:
        here = _place()
        here.store.set(f"{_PREFIX}/signed_in/{here.rank}", "")
    except RuntimeError:
        # the store is gone, and with it everybody who could read this
        return


def _place() -> _Place:
    """The place of this process; after its group was destroyed, the one that was kept."""
    if _kept is not None and not is_distributed():
        return _kept
    store = torch_dist.distributed_c10d._get_default_store()
    return _Place(store, torch_dist.get_rank(), torch_dist.get_world_size())


def _listed(ranks: list[int]) -> str:
    return ("rank " if len(ranks) == 1 else "ranks ") + ", ".join(map(str, ranks))


def _this_rank() -> str:
    return f"rank {_place().rank}"


def _host() -> str:
    return socket.gethostname()
