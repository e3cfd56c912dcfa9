"""Write checkpoints in the background, one at a time and in order."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from torch import Tensor

from eng.logging import print_log
from eng.utils import override

from .saver import save_checkpoint

__all__ = ["BackgroundWriter", "snapshot"]


class BackgroundWriter:
    """Does work on files in a thread of its own, in the order in which it is given.

    At most one checkpoint is in flight: the next waits for it. After an error nothing more is
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
        copied = snapshot(checkpoint)
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
            if self._pool is not None:
                self._pool.shutdown()
                self._pool = None


def snapshot(state: Any) -> Any:
    """Copy a state: tensors on the CPU, and plain data, which share nothing with it.

    Args:
        state: The state, in dicts, lists and tuples.

    Returns:
        The copy. What shared memory in the state does so in the copy.
    """
    memo: dict[int, Any] = {}
    _move_to_cpu(state, memo)
    return copy.deepcopy(state, memo)


def _move_to_cpu(value: Any, memo: dict[int, Any]) -> None:
    """Note the copies of tensors of other devices for :func:`copy.deepcopy`."""
    if isinstance(value, Tensor):
        if value.device.type != "cpu":
            memo[id(value)] = value.detach().cpu()
        elif value.requires_grad:
            memo[id(value)] = copy.deepcopy(value.detach(), memo)
    elif isinstance(value, Mapping):
        for each in value.values():
            _move_to_cpu(each, memo)
    elif isinstance(value, (list, tuple)):
        for each in value:
            _move_to_cpu(each, memo)
