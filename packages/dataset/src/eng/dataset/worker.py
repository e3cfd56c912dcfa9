"""Seed the workers of a data loader, and each sample in them."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.utils.data import IterableDataset, Subset, get_worker_info

from eng.registry import FUNCTIONS
from eng.utils import DataSample

from .randomness import random_numbers_of

__all__ = ["seed_each_sample", "worker_init_fn"]


@FUNCTIONS.register_module()
def worker_init_fn(
    worker_id: int, num_workers: int, rank: int, seed: int, disable_subprocess_warning: bool = False
) -> None:
    """Seed the random number generators of each worker of each process.

    With a sampler of this package, each sample is seeded by its position in the order instead, for
    any class of dataset: random numbers depend neither on the number of workers nor on where the
    run was resumed. A dataset that fetches whole batches in ``__getitems__`` is seeded by the first
    sample of the batch.

    Args:
        worker_id: Number of the worker, in ``[0, num_workers)``.
        num_workers: Number of workers per process.
        rank: Rank of the process.
        seed: Seed of the run.
        disable_subprocess_warning: Whether to silence warnings in the workers other than the
            first. Defaults to False.
    """
    worker_seed = int(num_workers * rank + worker_id + seed) % 2**32
    random.seed(worker_seed)
    np.random.seed(worker_seed)
    torch.manual_seed(worker_seed)
    if disable_subprocess_warning and worker_id != 0:
        warnings.simplefilter("ignore")
    worker = get_worker_info()
    if worker is not None and not isinstance(worker.dataset, IterableDataset):
        seed_each_sample(worker.dataset)


def seed_each_sample(dataset: Any) -> None:
    """Set a ``__getitems__`` on the dataset of this worker that seeds before each sample.

    Args:
        dataset: The dataset. A second call changes nothing.
    """
    present = getattr(dataset, "__getitems__", None)
    if isinstance(present, partial) and present.func in (_fetch_singly, _fetch_together):
        return
    # The __getitems__ of a Subset only fetches one sample after another.
    own = None if isinstance(dataset, Subset) else present
    fetch = partial(_fetch_singly, dataset) if own is None else partial(_fetch_together, own)
    try:
        dataset.__getitems__ = fetch
    except AttributeError:
        # A list or the like: it has no attributes, but does not draw random numbers either.
        return


def _fetch_singly(dataset: Any, indices: Sequence[object]) -> list[DataSample]:
    samples = []
    for index in indices:
        with random_numbers_of(index):
            samples.append(dataset[_strip_origin(index)])
    return samples


def _fetch_together(
    own: Callable[[list[object]], DataSample], indices: Sequence[object]
) -> DataSample:
    with random_numbers_of(indices[0]):
        return own([_strip_origin(index) for index in indices])


def _strip_origin(index: object) -> object:
    return int(index) if isinstance(index, int) else index
