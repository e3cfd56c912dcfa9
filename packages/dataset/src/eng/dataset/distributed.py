"""Shard the order of any sampler over processes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator
from typing import Any, TypeVar

import torch
from torch.utils.data import Sampler

from eng.dist import get_data_info
from eng.utils import override

__all__ = ["DistributedSamplerWrapper"]


IndexT = TypeVar("IndexT")


class DistributedSamplerWrapper(Sampler[IndexT]):
    """Shards the order of another sampler: each process takes every ``world_size``-th index.

    Indices from the start of the order pad its end, so that all processes get the same number.

    Args:
        sampler: A sampler with a length that draws from its attribute ``generator``, like those of
            torch. If it has none, it gets a seeded one, so that all processes draw the same order.
        seed: The seed, the same in all processes.
    """

    def __init__(self, sampler: Any, seed: int) -> None:
        self.sampler: Collection[IndexT] = sampler
        if getattr(sampler, "generator", None) is None:
            sampler.generator = torch.Generator().manual_seed(seed)
        self.generator: torch.Generator = sampler.generator
        self.rank, self.world_size = get_data_info()

    @override
    def __iter__(self) -> Iterator[IndexT]:
        indices = list(self.sampler)
        padded = itertools.islice(itertools.cycle(indices), len(self) * self.world_size)
        return itertools.islice(padded, self.rank, None, self.world_size)

    def __len__(self) -> int:
        """Return the number of samples of this process per epoch."""
        return math.ceil(len(self.sampler) / self.world_size)
