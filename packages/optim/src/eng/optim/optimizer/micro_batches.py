"""Size of the parts that a batch is trained in, which shrinks when memory runs out."""

from __future__ import annotations

import logging

import torch

from eng.dist import all_reduce, get_comm_device, get_world_size
from eng.logging import print_log

__all__ = ["MicroBatches"]


class MicroBatches:
    """Agrees on the size of micro-batches, in all processes.

    Attributes:
        size: The most samples of a micro-batch; None is the whole batch.
    """

    def __init__(self) -> None:
        self.size: int | None = None

    def record(self, samples: int, problem: str | None) -> bool:
        """Record whether an iteration had enough memory. To be called in all processes.

        Args:
            samples: Number of samples of the batch of this process.
            problem: The error for want of memory, None without one.

        Returns:
            Whether all processes had enough. If not, the size is half of what it was, and the
            iteration is to be repeated.

        Raises:
            MemoryError: If a single sample is too much.
        """
        used = samples if self.size is None else min(samples, self.size)
        failed, largest = self._agree(problem is not None, used)
        if not failed:
            return True
        if largest <= 1:
            raise MemoryError(
                "out of memory with micro-batches of one sample: on_oom='shrink' cannot split them "
                f"({problem or 'in another process'})"
            )
        self.size = -(-largest // 2)
        print_log(
            f"Out of memory with {largest} samples at a time "
            f"({(problem or 'in another process').strip().splitlines()[0]}): from now on batches "
            f"are trained in micro-batches of at most {self.size} samples, with the same updates.",
            logger="current",
            level=logging.WARNING,
        )
        return False

    def _agree(self, failed: bool, used: int) -> tuple[bool, int]:
        if get_world_size() == 1:
            return failed, used
        shared = torch.tensor([int(failed), used], device=get_comm_device())
        all_reduce(shared, "max")
        return bool(shared[0]), int(shared[1])
