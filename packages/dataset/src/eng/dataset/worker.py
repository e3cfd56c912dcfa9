"""What happens in a worker of a data loader before it loads."""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.utils.data import IterableDataset, Subset, get_worker_info

from eng.registry import FUNCTIONS

from .randomness import random_numbers_of

__all__ = ["seed_each_sample", "worker_init_fn"]


@FUNCTIONS.register_module()
def worker_init_fn(
    worker_id: int, num_workers: int, rank: int, seed: int, disable_subprocess_warning: bool = False
) -> None:
    """Give each worker of each process random numbers of its own.

    Where the sampler is one of this package, each sample is given random numbers by its place in
    the order instead, whatever the class of the dataset: they depend on neither the number of
    workers nor on where the run was resumed. A dataset that fetches whole batches in
    ``__getitems__`` is given those of the first sample of the batch.

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
    worker = get_worker_info()
    if worker is not None and not isinstance(worker.dataset, IterableDataset):
        seed_each_sample(worker.dataset)


def seed_each_sample(dataset: Any) -> None:
    """Put a method for batches on the dataset of this worker that seeds before each sample.

    Args:
        dataset: The dataset. Doing it twice changes nothing.
    """
    present = getattr(dataset, "__getitems__", None)
    if isinstance(present, partial) and present.func in (_fetch_singly, _fetch_together):
        return
    # That of a Subset only asks for one sample after another.
    own = None if isinstance(dataset, Subset) else present
    fetch = partial(_fetch_singly, dataset) if own is None else partial(_fetch_together, own)
    try:
        dataset.__getitems__ = fetch
    except AttributeError:
        # A list or the like: it takes no attributes, but neither does it draw random numbers.
        return


def _fetch_singly(dataset: Any, indices: Sequence[Any]) -> list[Any]:
    samples = []
    for index in indices:
        with random_numbers_of(index):
            samples.append(dataset[_plain(index)])
    return samples


def _fetch_together(own: Any, indices: Sequence[Any]) -> Any:
    with random_numbers_of(indices[0]):
        return own([_plain(index) for index in indices])


def _plain(index: Any) -> Any:
    return int(index) if isinstance(index, int) else index
