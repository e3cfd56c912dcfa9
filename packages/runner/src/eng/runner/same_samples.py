"""Check that the processes that share a model's layers work on the same samples."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from eng.dataset import samplers_of
from eng.dist import all_gather_object, get_rank, get_tensor_group, get_world_size
from eng.hooks import hash_batch
from eng.utils import DataBatch

from .errors import RunnerConfigError
from .types import Loader

__all__ = ["check_same_samples"]


def check_same_samples(batches: Iterator[DataBatch], dataloader: Loader) -> Iterator[DataBatch]:
    """Check the first batch of an iteration, where processes must have the same samples.

    A sampler of another library takes samples by the rank of the process, random numbers may be
    drawn by it: both would train on a mixture of samples, in silence.

    Args:
        batches: The batches.
        dataloader: The data loader that they are from.

    Returns:
        The batches. The first one raises a :class:`RunnerConfigError` if it differs.
    """
    return batches if get_tensor_group() is None else _check_first(batches, dataloader)


def _check_first(batches: Iterator[DataBatch], dataloader: Loader) -> Iterator[DataBatch]:
    first = list(itertools.islice(batches, 1))
    group: Any = get_tensor_group()
    hashes = all_gather_object([hash_batch(each) for each in first], group)
    if any(each != hashes[0] for each in hashes):
        *_, sampler = [None, *samplers_of(dataloader)]
        raise RunnerConfigError(
            f"rank {get_rank()} of {get_world_size()} and others of its tensor group have different"
            f" batches of {type(dataloader).__name__} with {type(sampler).__name__}: samples and "
            "random numbers must depend on eng.dist.get_data_rank(), as those of DefaultSampler "
            "and InfiniteSampler do, and not on the rank of the process"
        )
    yield from first
    yield from batches
