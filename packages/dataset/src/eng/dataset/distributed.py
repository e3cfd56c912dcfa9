"""Share out the order of any sampler over processes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import Sampler

from eng.dist import get_dist_info
from eng.utils import override

__all__ = ["DistributedSamplerWrapper"]


class DistributedSamplerWrapper(Sampler[Any]):
    """Each process takes every ``world_size``-th index of another sampler.

    Indices from the start of the order are added at its end, so that all processes get the same
    number.

    Args:
        sampler: A sampler with a length that draws from its attribute ``generator``, as those of
            torch do. It is given one with the seed if it has none, so that all processes draw the
            same order.
        seed: The seed, the same in all processes.
    """

    def __init__(self, sampler: Any, seed: int) -> None:
        self.sampler = sampler
        if getattr(sampler, "generator", None) is None:
            sampler.generator = torch.Generator().manual_seed(seed)
        self.generator = sampler.generator
        self.rank, self.world_size = get_dist_info()

    @override
    def __iter__(self) -> Iterator[Any]:
        indices = list(self.sampler)
        padded = itertools.islice(itertools.cycle(indices), len(self) * self.world_size)
        return itertools.islice(padded, self.rank, None, self.world_size)

    def __len__(self) -> int:
        """Number of samples of an epoch in this process."""
        return math.ceil(len(self.sampler) / self.world_size)
