"""Barriers and shared random seeds."""

from datetime import timedelta

import numpy as np
import torch
import torch.distributed as torch_dist
from torch.distributed import ProcessGroup

from .failure import arrive, wait
from .groups import get_rank, get_world_size, ranks_of
from .tensors import broadcast

__all__ = ["barrier", "sync_random_seed"]


def barrier(group: ProcessGroup | None = None, timeout: float | timedelta | None = None) -> None:
    """Block until every process of a group has entered this function.

    Args:
        group: The group; the default group when None.
        timeout: Seconds to wait at most; given by all processes or by none. The timeout of the
            group when None.

    Raises:
        TimeoutError: If ranks did not arrive within ``timeout``; names them.
        ValueError: If ``timeout`` is not positive.
    """
    if timeout is not None and not isinstance(timeout, timedelta):
        timeout = timedelta(seconds=timeout)
    if timeout is not None and timeout <= timedelta(0):
        raise ValueError(f"timeout must be positive (in seconds), not {timeout.total_seconds()}")
    if get_world_size(group) == 1:
        return
    if timeout is not None:
        arrive(group, timeout)
        return
    wait(torch_dist.barrier(group=group, async_op=True), "barrier", group)


def sync_random_seed(group: ProcessGroup | None = None) -> int:
    """Agree on a random seed.

    The seed is drawn from the global generator of numpy on rank 0 of the group, so it is
    reproducible if numpy is seeded.

    Args:
        group: The group; the default group when None.

    Returns:
        A number from 0 to 2**31 - 1, the same in every process.
    """
    seed = int(np.random.randint(2**31 - 1))
    if get_world_size(group) == 1:
        return seed
    shared = torch.tensor(seed if get_rank(group) == 0 else 0, dtype=torch.int64)
    broadcast(shared, src=ranks_of(group)[0], group=group)
    return int(shared.item())
