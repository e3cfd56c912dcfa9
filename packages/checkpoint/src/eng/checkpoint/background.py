"""Write checkpoints in the background, one at a time and in order."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor, nn

from eng.logging import print_log
from eng.utils import override

from .saver import save_checkpoint

__all__ = ["BackgroundWriter", "SnapshotBuffers", "snapshot"]


class BackgroundWriter:
    """Does work on files in a thread of its own, in the order in which it is given.

    At most one checkpoint is in flight: the next waits for it. The memory that a checkpoint is
    copied to is kept for the next one, until :meth:`close`. After an error nothing more is
    done until somebody has been told of it by :meth:`wait` or the next :meth:`save`. A process
    that ends by itself waits for what was begun.

    Examples:
        >>> import torch
        >>> weight = torch.zeros(2)
        >>> writer = BackgroundWriter()
        >>> writer.save({'weight': weight}, 'background.pth')
        >>> _ = weight.fill_(1)  # training goes on meanwhile
        >>> writer.wait()
        >>> torch.load('background.pth')['weight']
        tensor([0., 0.])
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._pending: list[Future[None]] = []
        self._buffers = SnapshotBuffers()

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        # A copy has work and a thread of its own.
        return type(self), ()

    def save(
        self,
        checkpoint: dict[str, Any],
        filename: str,
        backend_args: dict[str, Any] | None = None,
    ) -> None:
        """Copy a checkpoint on the CPU, and write it in the background.

        Args:
            checkpoint: What to save: tensors and plain data, which may change afterwards.
            filename: Path or address to save it at.
            backend_args: Settings of the storage. Defaults to None.

        Raises:
            Exception: What went wrong with what was given before.
        """
        self.wait()
        copied = snapshot(checkpoint, self._buffers)
        self.then(lambda: save_checkpoint(copied, filename, backend_args=backend_args))

    def then(self, work: Callable[[], None]) -> None:
        """Do something after all that was given before, unless that went wrong.

        Args:
            work: What to do.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        before = self._pending[-1] if self._pending else None

        def unless_failed() -> None:
            if before is not None and before.exception() is not None:
                before.result()
            try:
                work()
            except Exception as error:  # now, since the next save may be hours away
                text = f"A checkpoint could not be written in the background: {error}"
                print_log(text, logger="current", level=logging.ERROR)
                raise

        self._pending.append(self._pool.submit(unless_failed))

    @property
    def is_busy(self) -> bool:
        """Whether something is not done yet."""
        return any(not each.done() for each in self._pending)

    def wait(self) -> None:
        """Wait for all that was given.

        Raises:
            Exception: What went wrong with it.
        """
        pending, self._pending = self._pending, []
        errors = [error for error in (each.exception() for each in pending) if error is not None]
        if errors:
            raise errors[0]

    def close(self) -> None:
        """Wait for all that was given, and end the thread.

        Raises:
            Exception: What went wrong with it.
        """
        try:
            self.wait()
        finally:
            self._buffers = SnapshotBuffers()
            if self._pool is not None:
                self._pool.shutdown()
                self._pool = None


class SnapshotBuffers:
    """Memory for snapshots, kept from one to the next.

    Filling memory that is there takes a third of the time of getting new memory from the system.
    A snapshot is only whole until the next one is taken with the same buffers.
    """

    def __init__(self) -> None:
        self._used: list[torch.UntypedStorage] = []
        self._free: dict[int, list[torch.UntypedStorage]] = {}

    def begin(self) -> None:
        """Take back what the last snapshot used; what that did not use is given up."""
        self._free = {}
        for storage in self._used:
            self._free.setdefault(storage.nbytes(), []).append(storage)
        self._used = []

    def copy(self, storage: torch.UntypedStorage) -> torch.UntypedStorage:
        """Copy the memory of a tensor to the CPU."""
        free = self._free.get(storage.nbytes())
        kept = free.pop() if free else torch.UntypedStorage(storage.nbytes())  # type: ignore[no-untyped-call]
        self._used.append(kept)
        kept.copy_(storage)
        return kept


def snapshot(state: Any, buffers: SnapshotBuffers | None = None) -> Any:
    """Copy a state: tensors on the CPU, and plain data, which share nothing with it.

    Args:
        state: The state, in dicts, lists and tuples.
        buffers: Memory for the tensors. Defaults to None: new memory.

    Returns:
        The copy. What shared memory in the state does so in the copy.
    """
    buffers = SnapshotBuffers() if buffers is None else buffers
    buffers.begin()
    memo: dict[int, Any] = {}
    _copy_tensors(state, memo, {}, buffers)
    return copy.deepcopy(state, memo)


def _copy_tensors(
    value: Any,
    memo: dict[int, Any],
    storages: dict[int, torch.UntypedStorage],
    buffers: SnapshotBuffers,
) -> None:
    """Note the copies of tensors for :func:`copy.deepcopy`, by their memory once each."""
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
    if type(tensor) not in (Tensor, nn.Parameter) or not _is_plain(tensor):
        plain = tensor.detach()
        return plain.cpu() if tensor.device.type != "cpu" else copy.deepcopy(plain, memo)
    storage = tensor.untyped_storage()
    # By the object in C++ that tensors share: small ones may have equal addresses of no memory.
    kept = storages.get(storage._cdata)
    if kept is None:
        kept = storages[storage._cdata] = buffers.copy(storage)
    place = tensor.storage_offset(), tensor.size(), tensor.stride()
    return torch.empty(0, dtype=tensor.dtype).set_(kept, *place)


def _is_plain(tensor: Tensor) -> bool:
    """Whether all that a tensor is lies in its memory, in an order given by strides."""
    has_memory = tensor.layout is torch.strided and tensor.device.type != "meta"
    return has_memory and not (tensor.is_quantized or tensor.is_conj() or tensor.is_neg())
