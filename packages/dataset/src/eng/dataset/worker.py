"""What happens in a worker of a data loader before it loads."""

from __future__ import annotations

import random
import warnings

import numpy as np
import torch

from eng.registry import FUNCTIONS

__all__ = ["worker_init_fn"]


@FUNCTIONS.register_module()  # type: ignore[untyped-decorator]
def worker_init_fn(
    worker_id: int, num_workers: int, rank: int, seed: int, disable_subprocess_warning: bool = False
) -> None:
    """Give each worker of each process random numbers of its own.

    Args:
        worker_id: Number of the worker, in ``[0, num_workers)``.
        num_workers: Number of workers of one process.
        rank: Rank of the process.
        seed: Seed of the run.
        disable_subprocess_warning: Whether warnings are silenced in the worker. Defaults to
            False.
    """
    worker_seed = (num_workers * rank + worker_id + seed) % 2**32
    random.seed(worker_seed)
    np.random.seed(worker_seed)
    torch.manual_seed(worker_seed)
    if disable_subprocess_warning and worker_id != 0:
        warnings.simplefilter("ignore")
