"""Dump the stacks of all threads of every process on a timeout.

A process that times out sees only its own stack. It requests those of the others through the
key-value store of the group; a thread in each process answers, even if its main thread hangs.
"""

import faulthandler
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import torch.distributed as torch_dist
from torch.distributed.distributed_c10d import Store

from .devices import get_comm_device
from .groups import get_rank, get_world_size, is_distributed

__all__ = ["stack_files", "write_stacks_to"]

_PREFIX = "eng/dist/stacks"
# seconds between checks for requests
_INTERVAL = 1.0
# seconds to wait for the answers of other ranks
_PATIENCE = 5.0

_active: "_StackWriter | None" = None


@contextmanager
def write_stacks_to(folder: str | Path) -> Iterator[None]:
    """Dump the stacks of all threads into a folder on a timeout within the block.

    At a timeout of a collective or of a data loader within
    :func:`eng.dist.explain_failures`, every process writes ``stacks_rank<rank>.txt``, and the error
    names the files. On accelerators, whose watchdog aborts the process, the stacks at the abort
    are written to the same file, unless :mod:`faulthandler` is in use already.

    Args:
        folder: The folder, created if missing. Ignored within another such block.

    Yields:
        Nothing.
    """
    global _active  # noqa: PLW0603 - stacks are those of the process
    if _active is not None:
        yield
        return
    _active = writer = _StackWriter(Path(folder))
    try:
        yield
    finally:
        _active = None
        writer.close()


def stack_files(reason: str) -> str:
    """Dump the stacks of every process and return the paths of the files.

    Args:
        reason: The operation that timed out, for the first line of the files.

    Returns:
        A part of a message that begins with ``"; "``; empty outside of :func:`write_stacks_to`.
    """
    return "" if _active is None else _active.gather(reason)


class _StackWriter:
    """The file of this process, and the thread that answers requests of other ranks."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"stacks_rank{get_rank()}.txt"
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._file_of_aborts: TextIO | None = None
        if get_comm_device().type != "cpu" and not faulthandler.is_enabled():
            self._file_of_aborts = self._open()
            faulthandler.enable(self._file_of_aborts)
        if get_world_size() > 1:
            default_store: Any = torch_dist.distributed_c10d._get_default_store()
            # A separate connection: the main thread may hang in an operation on the other one.
            store = default_store.clone()
            self._seen = store.add(f"{_PREFIX}/asked", 0)
            self._thread = threading.Thread(
                target=self._answer, args=(store, get_rank()), name="eng.dist.stacks", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        if self._file_of_aborts is not None:
            faulthandler.disable()
            self._file_of_aborts.close()
            if not self._path.stat().st_size:
                self._path.unlink()

    def gather(self, reason: str) -> str:
        self._write(reason)
        if self._thread is None or not is_distributed():
            return f"; stacks of all threads: {self._path}"
        store, size = torch_dist.distributed_c10d._get_default_store(), get_world_size()
        try:
            store.set(f"{_PREFIX}/written/{get_rank()}", str(self._path))
            store.add(f"{_PREFIX}/asked", 1)
            written = _await_answers(store, size)
        except RuntimeError as error:
            return f"; stacks of all threads: {self._path} (of this rank alone: {error})"
        silent = sorted(set(range(size)) - set(written))
        missing = f" (no response from rank {', '.join(map(str, silent))})" if silent else ""
        return f"; stacks of all threads: {', '.join(written.values())}{missing}"

    def _answer(self, store: Store, rank: int) -> None:
        while not self._end.wait(_INTERVAL):
            try:
                asked = store.add(f"{_PREFIX}/asked", 0)
                if asked > self._seen:
                    self._seen = asked
                    self._write("another rank timed out")
                    store.set(f"{_PREFIX}/written/{rank}", str(self._path))
            except RuntimeError:
                return  # the store has exited with rank 0, and no other rank can ask

    def _write(self, reason: str) -> None:
        with self._lock, self._open() as file:
            print(f"{time.strftime('%Y-%m-%d %H:%M:%S')}: {reason}", file=file, flush=True)
            faulthandler.dump_traceback(file)

    def _open(self) -> TextIO:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self._path.open("a", encoding="utf-8")


def _await_answers(store: Store, size: int) -> dict[int, str]:
    """Return the paths of files by rank, of the ranks that answer in time."""
    end = time.monotonic() + _PATIENCE
    keys = {rank: f"{_PREFIX}/written/{rank}" for rank in range(size)}
    while not store.check(list(keys.values())) and time.monotonic() < end:
        time.sleep(0.05)
    return {rank: store.get(key).decode() for rank, key in keys.items() if store.check([key])}
