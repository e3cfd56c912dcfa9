"""Waiting for collectives in a way that names the rank at fault when one fails.

Backends report a dead peer as a closed connection, or not at all until a timeout. The key-value
store through which the processes met tells more: a process that ends by an exception writes it
there, and processes whose collective failed sign in, so that who does not is missing.
"""

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
from typing import cast

import torch.distributed as torch_dist
from torch.distributed import ProcessGroup, Work
from torch.distributed.distributed_c10d import Store

from .devices import get_comm_device
from .groups import is_distributed, ranks_of

__all__ = ["DistributedError", "arrive", "explain_failures", "wait", "watch_this_process"]

# how often a waiting process looks whether another one has reported a failure
_GLANCE = timedelta(seconds=1)
# how long to wait for the others to sign in after a failure
_GRACE = 5.0
_PREFIX = "eng/dist"
# how backends tell of a peer that is gone: gloo by plain RuntimeErrors, others by DistError
_LOST = re.compile(r"(closed|reset) by peer|[Bb]roken pipe|Timed out waiting \d+ms|Socket closed")

_barriers_entered: dict[str, int] = defaultdict(int)
_watched_process: int | None = None


class DistributedError(RuntimeError):
    """A collective failed because of another process, which the message names."""


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
            reported = _reported_failures()
            if not reported and not work.is_completed():
                continue
            cause = reported or _missing_ranks() or str(error)
            _sign_in()
            raise DistributedError(f"{operation} failed in {_this_rank()}: {cause}") from error


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
        cause = _cause(error)
        if cause is None:
            raise
        raise DistributedError(f"{operation} failed in {_this_rank()}: {cause}") from error


def arrive(group: ProcessGroup | None, timeout: timedelta) -> None:
    """Meet all processes of a group within a timeout.

    Raises:
        TimeoutError: Names the ranks that did not come.
        DistributedError: Another process reported a failure meanwhile.
    """
    name = cast(ProcessGroup, group or torch_dist.group.WORLD).group_name
    ranks = ranks_of(group)
    own = torch_dist.get_rank()
    round_ = _barriers_entered[name] = _barriers_entered[name] + 1
    store = _store()

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
            raise TimeoutError(
                f"barrier: after {timeout.total_seconds():g} s {_listed(missing)} had not come "
                f"(seen by {_this_rank()} of a group of {len(ranks)})"
            ) from error


def watch_this_process() -> None:
    """Have the other processes told of the exception if this process ends by one."""
    global _watched_process  # noqa: PLW0603 - hooks are installed once a process
    _store().set(
        f"{_PREFIX}/process/{torch_dist.get_rank()}", f"process {os.getpid()} on {_host()}"
    )
    if _watched_process == os.getpid():
        return
    _watched_process = os.getpid()
    previous = sys.excepthook

    def excepthook(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        previous(kind, error, traceback)
        _report(error)

    sys.excepthook = excepthook
    # exceptions in children of multiprocessing never get to sys.excepthook
    multiprocessing.util.Finalize(None, _report_current, exitpriority=100)


def _report_current() -> None:
    error = sys.exc_info()[1]
    if isinstance(error, SystemExit):
        error = error.__context__
    if error is not None:
        _report(error)


def _report(error: BaseException) -> None:
    if _watched_process != os.getpid() or not is_distributed():
        return
    try:
        store, rank = _store(), torch_dist.get_rank()
        # who fails because of another is no cause
        cause = _cause(error)
        if cause is not None:
            print(f"eng.dist: {_this_rank()} failed because of another: {cause}", file=sys.stderr)
        elif not isinstance(error, DistributedError):
            store.set(f"{_PREFIX}/failed/{rank}", f"{type(error).__name__}: {error}")
            store.set(f"{_PREFIX}/failed/any", "")
        _sign_in()
        if rank == 0:
            # the store usually ends with this process: let the others read it first
            _absentees(_GRACE)
    except RuntimeError as problem:
        print(
            f"eng.dist: the other ranks cannot be told of the failure: {problem}", file=sys.stderr
        )


def _cause(error: BaseException) -> str | None:
    """Say who is at fault for a lost connection; None for any other error."""
    lost = isinstance(error, torch_dist.DistError) or (
        isinstance(error, RuntimeError) and _LOST.search(str(error)) is not None
    )
    if not lost or isinstance(error, DistributedError) or not is_distributed():
        return None
    return _reported_failures() or _missing_ranks() or str(error)


def _reported_failures() -> str:
    """Say what other processes reported, in the order of ranks; empty if nothing."""
    try:
        store = _store()
        if not store.check([f"{_PREFIX}/failed/any"]):
            return ""
        told = [
            f"rank {rank} failed with {store.get(key).decode()}"
            for rank in range(torch_dist.get_world_size())
            if rank != torch_dist.get_rank() and store.check([key := f"{_PREFIX}/failed/{rank}"])
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
        store = _store()
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
    store, world_size = _store(), torch_dist.get_world_size()
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
        _store().set(f"{_PREFIX}/signed_in/{torch_dist.get_rank()}", "")
    except RuntimeError:
        # the store is gone, and with it everybody who could read this
        return


def _store() -> Store:
    return torch_dist.distributed_c10d._get_default_store()


def _listed(ranks: list[int]) -> str:
    return ("rank " if len(ranks) == 1 else "ranks ") + ", ".join(map(str, ranks))


def _this_rank() -> str:
    return f"rank {torch_dist.get_rank()}"


def _host() -> str:
    return socket.gethostname()
