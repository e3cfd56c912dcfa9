"""Wait for collectives and name the failed rank in their errors.

Backends report a dead peer as a closed connection, or not before a timeout. The key-value store of
the rendezvous has more information: a process that exits with an exception writes it there, and
processes whose collective failed sign in, so that the ranks without an entry are the missing ones.
"""

import atexit
import multiprocessing.util
import os
import re
import socket
import sys
import time
import warnings
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
from .groups import get_world_size, is_distributed, is_inside_master_only, ranks_of
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

# interval in which a waiting process checks for failures of others
_GLANCE = timedelta(seconds=1)
# seconds to wait for other ranks to sign in after a failure
_GRACE = 5.0
_PREFIX = "eng/dist"
# errors of a lost peer: RuntimeErrors with these messages from gloo, DistErrors from others
_TIMED_OUT = re.compile(r"[Tt]imed out")
_LOST = re.compile(r"(closed|reset) by peer|[Bb]roken pipe|Timed out waiting \d+ms|Socket closed")

_barriers_entered: dict[str, int] = defaultdict(int)
_watched_process: int | None = None
# rank and store of a failing process, to report its error after the group was destroyed
_kept: "_Place | None" = None
_has_reported = False


class DistributedError(RuntimeError):
    """A collective that failed because of another rank; the message names it."""


class _Place(NamedTuple):
    """Rank of this process and the key-value store of its group."""

    store: Store
    rank: int
    world_size: int


def wait(work: Work | None, operation: str, group: ProcessGroup | None) -> None:
    """Wait for a collective started with ``async_op=True``.

    Args:
        work: The collective.
        operation: Name of the collective, for messages.
        group: The group of the collective.

    Raises:
        DistributedError: If it failed, or another process reported a failure meanwhile.
    """
    if work is None:
        return
    if is_inside_master_only() and get_world_size(group) > 1:
        warnings.warn(
            f"a collective ({operation}) is called inside of a function decorated by master_only, "
            "which the main process alone runs: unless the other processes call it elsewhere, it "
            "waits for them until the timeout. Remove the decorator, so that all processes call it",
            stacklevel=3,
        )
    if get_comm_device(group).type != "cpu":
        # accelerators have a queue: this orders the stream and does not block the CPU
        work.wait()
        return
    while True:
        try:
            work.wait(_GLANCE)
            return
        except RuntimeError as error:
            if work.is_completed():
                break
            reported = _join_failures()
            if reported:
                _sign_in()
                raise DistributedError(
                    f"{operation} failed in {_format_rank()}: {reported}"
                ) from error
    try:
        # It may have completed just after the wait timed out: only its own result counts.
        work.wait()
    except RuntimeError as error:
        cause = _join_failures() or _describe_missing() or str(error)
        stacks = stack_files(f"{operation}: {error}") if _TIMED_OUT.search(str(error)) else ""
        raise DistributedError(
            f"{operation} failed in {_format_rank()}: {cause}{stacks}"
        ) from error


@contextmanager
def explain_failures(operation: str) -> Iterator[None]:
    """Name the failed rank when a connection is lost within a ``with`` block.

    For collectives that PyTorch starts, such as those of ``DistributedDataParallel`` in the
    backward pass. The functions of this package do not need it.

    Args:
        operation: Name of the work in the block, for the message.

    Raises:
        DistributedError: If another rank has exited or failed; the message names it.
    """
    try:
        yield
    except RuntimeError as error:
        _keep_place()
        cause = _find_cause(error)
        is_late = not isinstance(error, DistributedError) and _TIMED_OUT.search(str(error))
        stacks = stack_files(f"{operation}: {error}") if is_late else ""
        if cause is not None:
            raise DistributedError(
                f"{operation} failed in {_format_rank()}: {cause}{stacks}"
            ) from error
        if stacks:  # such as a timeout of a data loader
            raise RuntimeError(f"{error}{stacks}") from error
        raise
    except BaseException:
        _keep_place()
        raise


def arrive(group: ProcessGroup | None, timeout: timedelta) -> None:
    """Wait for all processes of a group within a timeout.

    Raises:
        TimeoutError: If ranks did not arrive in time; names them.
        DistributedError: If another process reported a failure meanwhile.
    """
    name = cast(ProcessGroup, group or torch_dist.group.WORLD).group_name
    ranks = ranks_of(group)
    store, own, _ = _get_place()
    round_ = _barriers_entered[name] = _barriers_entered[name] + 1

    def key(rank: int, number: int) -> str:
        return f"{_PREFIX}/barrier/{name}/{number}/{rank}"

    store.set(key(own, round_), "")
    # all ranks are in this round or the last one, so the keys before are no longer read
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
            reported = _join_failures()
            if reported:
                _sign_in()
                raise DistributedError(f"barrier failed in {_format_rank()}: {reported}") from error
            if time.monotonic() < end:
                continue
            missing = [rank for rank in ranks if not store.check([key(rank, round_)])]
            if not missing:  # the last one has just arrived
                return
            raise TimeoutError(
                f"barrier timed out after {timeout.total_seconds():g} s: {_join_ranks(missing)} "
                f"did not arrive (reported by {_format_rank()} of a group of {len(ranks)})"
                f"{stack_files('barrier')}"
            ) from error


def watch_this_process() -> None:
    """Report an uncaught exception of this process to the other ranks."""
    global _watched_process  # noqa: PLW0603 - hooks are installed once a process
    here = _get_place()
    here.store.set(
        f"{_PREFIX}/process/{here.rank}", f"process {os.getpid()} on {socket.gethostname()}"
    )
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
    # sys.excepthook is not called in child processes of multiprocessing
    multiprocessing.util.Finalize(None, _report_current, exitpriority=100)


def _leave_group() -> None:
    """Destroy the group of a program that exits successfully without doing so.

    Otherwise threads of the group may still run when the interpreter shuts down, which may abort
    the process: launchers take that for a failure.
    """
    has_failed = getattr(sys, "last_value", None) is not None
    is_own = _watched_process == os.getpid()
    if is_own and is_distributed() and not has_failed and get_comm_device().type == "cpu":
        torch_dist.destroy_process_group()


def forget_failures() -> None:
    """Drop the store of an earlier group before this process joins another one."""
    global _kept, _has_reported
    _kept, _has_reported = None, False


def report_failure(error: BaseException) -> None:
    """Report the exception that terminates this process to the other ranks.

    Uncaught exceptions are reported automatically. A program that catches them, to print one line
    or to destroy the process group, calls this function first.

    Args:
        error: The exception. Only the first one is reported, and none that another rank caused.
    """
    global _has_reported  # noqa: PLW0603 - one failure a process
    is_member = is_distributed() or _kept is not None
    if _watched_process != os.getpid() or not is_member or _has_reported:
        return
    _has_reported = True
    try:
        here = _get_place()
        # a rank that failed because of another one is not the cause
        cause = _find_cause(error)
        if cause is not None:
            print(
                f"eng.dist: {_format_rank()} failed because of another rank: {cause}",
                file=sys.stderr,
            )
        elif not isinstance(error, DistributedError):
            here.store.set(f"{_PREFIX}/failed/{here.rank}", f"{type(error).__name__}: {error}")
            here.store.set(f"{_PREFIX}/failed/any", "")
        _sign_in()
        if here.rank == 0:
            # the store usually lives in this process: let the others read it before the exit
            _find_missing(_GRACE)
    except RuntimeError as problem:
        print(
            f"eng.dist: the failure cannot be reported to other ranks: {problem}", file=sys.stderr
        )


def _report_current() -> None:
    error = sys.exc_info()[1]
    if isinstance(error, SystemExit):  # a program may exit after an error
        error = None if error.__suppress_context__ else error.__context__
    if error is not None:
        report_failure(error)


def _keep_place() -> None:
    global _kept  # noqa: PLW0603 - one default group a process
    if is_distributed():
        _kept = _get_place()


def _find_cause(error: BaseException) -> str | None:
    """Describe the failed rank behind a lost connection; None for any other error."""
    lost = isinstance(error, torch_dist.DistError) or (
        isinstance(error, RuntimeError) and _LOST.search(str(error)) is not None
    )
    if not lost or isinstance(error, DistributedError) or not (is_distributed() or _kept):
        return None
    return _join_failures() or _describe_missing() or str(error)


def _join_failures() -> str:
    """Join the failures that other ranks reported; empty if none."""
    try:
        store, own, world_size = _get_place()
        if not store.check([f"{_PREFIX}/failed/any"]):
            return ""
        failures = [
            f"rank {rank} failed with {store.get(key).decode()}"
            for rank in range(world_size)
            if rank != own and store.check([key := f"{_PREFIX}/failed/{rank}"])
        ]
        return "; ".join(failures)
    except RuntimeError as error:
        return f"rank 0 is unreachable: it has exited or its machine is down ({error})"


def _describe_missing() -> str:
    """Describe the ranks that do not sign in after a failure; empty if all do."""
    _sign_in()
    try:
        absent = _find_missing(_GRACE)
        reported = _join_failures()
        if reported or not absent:
            return reported
        store = _get_place().store
        who = [
            f"rank {rank}" + (f" ({store.get(key).decode()})" if store.check([key]) else "")
            for rank in absent
            for key in [f"{_PREFIX}/process/{rank}"]
        ]
    except RuntimeError as error:
        return f"rank 0 is unreachable: it has exited or its machine is down ({error})"
    return f"no response from {', '.join(who)}: killed or hanging"


def _find_missing(seconds: float) -> list[int]:
    """Return the ranks that have not signed in within some seconds."""
    store, _, world_size = _get_place()
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
        here = _get_place()
        here.store.set(f"{_PREFIX}/signed_in/{here.rank}", "")
    except RuntimeError:
        # the store has exited with rank 0, and no other rank can read this
        return


def _get_place() -> _Place:
    """Return rank and store of this process, also after its group was destroyed."""
    if _kept is not None and not is_distributed():
        return _kept
    store = torch_dist.distributed_c10d._get_default_store()
    return _Place(store, torch_dist.get_rank(), torch_dist.get_world_size())


def _join_ranks(ranks: list[int]) -> str:
    return ("rank " if len(ranks) == 1 else "ranks ") + ", ".join(map(str, ranks))


def _format_rank() -> str:
    return f"rank {_get_place().rank}"
