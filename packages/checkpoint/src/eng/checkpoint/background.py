"""Save checkpoints in a background thread, one at a time and in order."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from eng.logging import print_log
from eng.utils import StateDict, override

from .folder_saver import collect_folder, write_folder
from .save_group import SavingGroup
from .saver import save_checkpoint
from .types import BackendArgs

__all__ = ["BackgroundWriter", "SnapshotBuffers", "snapshot"]

T = TypeVar("T")


class BackgroundWriter:
    """Saves checkpoints and runs file operations in a background thread, in order of submission.

    At most one checkpoint is in flight: :meth:`save` waits for the previous one. The memory of a
    copy is reused for the next one, until :meth:`close`. After an error, submitted work is skipped
    until :meth:`wait` or the next :meth:`save` has raised it. On exit, the interpreter waits for
    pending work.

    Examples:
        >>> import torch
        >>> weight = torch.zeros(2)
        >>> writer = BackgroundWriter()
        >>> writer.save({'weight': weight}, 'background.pth')
        >>> _ = weight.fill_(1)  # training continues
        >>> writer.wait()
        >>> torch.load('background.pth')['weight']
        tensor([0., 0.])
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._pending: list[Future[None]] = []
        self._buffers = SnapshotBuffers()
        #: The processes that save folders together.
        self.group = SavingGroup()

    @override
    def __reduce__(self) -> tuple[type[BackgroundWriter], tuple[()]]:
        # Threads cannot be pickled: a copy starts without pending work.
        return type(self), ()

    def save(
        self,
        checkpoint: StateDict,
        filename: str,
        backend_args: BackendArgs | None = None,
    ) -> None:
        """Copy a checkpoint to the CPU and save it in the background.

        Args:
            checkpoint: Tensors and plain data by name, which may change afterwards.
            filename: Path or URL of the file.
            backend_args: Arguments of the storage backend. Defaults to None.

        Raises:
            Exception: The error of work submitted before.
        """
        # The buffers still have the last checkpoint until it is written.
        self.wait()
        copied = snapshot(checkpoint, self._buffers)
        self.then(lambda: save_checkpoint(copied, filename, backend_args=backend_args))

    def save_folder(
        self,
        checkpoint: StateDict,
        path: str,
        backend_args: BackendArgs | None = None,
    ) -> None:
        """Copy this process' part of a checkpoint, and save it as a folder in the background.

        Called in all processes, which communicate in a group of their own meanwhile.

        Args:
            checkpoint: Tensors and plain data by name, see :func:`save_folder`.
            path: Path or URL of the folder.
            backend_args: Arguments of the storage backend. Defaults to None.

        Raises:
            Exception: The error of work submitted before.
        """
        self.wait()
        content = collect_folder(checkpoint, self.group)
        places, values = [item for item, _ in content.shards], [each for _, each in content.shards]
        rest, values = snapshot((content.rest, values), self._buffers)
        copied = content._replace(rest=rest, shards=list(zip(places, values, strict=True)))
        self.then(lambda: write_folder(copied, path, backend_args))

    def then(self, work: Callable[[], None]) -> None:
        """Run a function after all work submitted before, unless that failed.

        Args:
            work: The function.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        before = self._pending[-1] if self._pending else None

        def unless_failed() -> None:
            if before is not None and before.exception() is not None:
                before.result()
            try:
                work()
            except Exception as error:  # logged now: the next save may be hours away
                text = f"A checkpoint could not be written in the background: {error}"
                print_log(text, logger="current", level=logging.ERROR)
                raise

        self._pending.append(self._pool.submit(unless_failed))

    @property
    def is_busy(self) -> bool:
        """Whether any work is pending."""
        return any(not each.done() for each in self._pending)

    def wait(self) -> None:
        """Wait for all pending work.

        Raises:
            Exception: Its first error.
        """
        pending, self._pending = self._pending, []
        errors = [error for error in (each.exception() for each in pending) if error is not None]
        if errors:
            raise errors[0]

    def close(self) -> None:
        """Wait for all pending work, and stop the thread.

        Raises:
            Exception: Its first error.
        """
        try:
            self.wait()
        finally:
            self._buffers = SnapshotBuffers()
            if self._pool is not None:
                self._pool.shutdown()
                self._pool = None


class SnapshotBuffers:
    """Memory that is reused from one snapshot to the next.

    Reusing memory takes a third of the time of allocating it. That for tensors of a GPU is pinned,
    so that they are copied at the full speed of the bus, all at once. A snapshot is valid until the
    next one with the same buffers overwrites it.
    """

    def __init__(self) -> None:
        self._used: list[torch.UntypedStorage] = []
        self._free: dict[tuple[int, bool], list[torch.UntypedStorage]] = {}
        self._pending: set[torch.device] = set()

    def begin(self) -> None:
        """Make the memory of the last snapshot available; free what that did not use."""
        self._free = {}
        for storage in self._used:
            key = storage.nbytes(), storage.is_pinned()
            self._free.setdefault(key, []).append(storage)
        self._used = []

    def copy(self, storage: torch.UntypedStorage) -> torch.UntypedStorage:
        """Copy the memory of a tensor to the CPU. It is there after :meth:`finish`."""
        size, is_cuda = storage.nbytes(), storage.device.type == "cuda"
        free = self._free.get((size, is_cuda))
        kept = free.pop() if free else _allocate(size, is_cuda)
        self._used.append(kept)
        kept.copy_(storage, non_blocking=is_cuda)
        if is_cuda:
            self._pending.add(storage.device)
        return kept

    def finish(self) -> None:
        """Wait for the copies."""
        while self._pending:
            torch.cuda.current_stream(self._pending.pop()).synchronize()


def _allocate(size: int, is_pinned: bool) -> torch.UntypedStorage:
    if not is_pinned:
        return torch.UntypedStorage(size)  # type: ignore[no-untyped-call]
    return torch.empty(size, dtype=torch.uint8, pin_memory=True).untyped_storage()


def snapshot(state: T, buffers: SnapshotBuffers | None = None) -> T:
    """Copy tensors to the CPU, and plain data, without sharing memory with the original.

    Args:
        state: Tensors and plain data in dicts, lists and tuples.
        buffers: Memory for the tensors. Defaults to None: new memory.

    Returns:
        The copy. Tensors that share memory in the state share it in the copy.
    """
    buffers = SnapshotBuffers() if buffers is None else buffers
    buffers.begin()
    memo: dict[int, Any] = {}
    _copy_tensors(state, memo, {}, buffers)
    buffers.finish()
    return copy.deepcopy(state, memo)


def _copy_tensors(
    value: object,
    memo: dict[int, Any],
    storages: dict[int, torch.UntypedStorage],
    buffers: SnapshotBuffers,
) -> None:
    """Put copies of tensors into the memo of :func:`copy.deepcopy`, one for each storage."""
    if isinstance(value, Tensor):
        if id(value) not in memo:
            memo[id(value)] = _copy_tensor(value, memo, storages, buffers)
    elif isinstance(value, Mapping):
        for each in value.values():
            _copy_tensors(each, memo, storages, buffers)
    elif isinstance(value, (list, tuple)):
        for each in value:
            _copy_tensors(each, memo, storages, buffers)


def _copy_tensor(
    tensor: Tensor,
    memo: dict[int, Any],
    storages: dict[int, torch.UntypedStorage],
    buffers: SnapshotBuffers,
) -> Tensor:
    if type(tensor) not in (Tensor, nn.Parameter) or not _is_strided(tensor):
        plain = tensor.detach()
        return plain.cpu() if tensor.device.type != "cpu" else copy.deepcopy(plain, memo)
    storage = tensor.untyped_storage()
    # By the shared C++ storage object: empty tensors may have equal data pointers.
    kept = storages.get(storage._cdata)
    if kept is None:
        kept = storages[storage._cdata] = buffers.copy(storage)
    place = tensor.storage_offset(), tensor.size(), tensor.stride()
    return torch.empty(0, dtype=tensor.dtype).set_(kept, *place)


def _is_strided(tensor: Tensor) -> bool:
    """Whether memory and strides alone define the values of a tensor."""
    has_memory = tensor.layout is torch.strided and tensor.device.type != "meta"
    return has_memory and not (tensor.is_quantized or tensor.is_conj() or tensor.is_neg())
