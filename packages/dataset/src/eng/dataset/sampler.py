"""Samplers whose order depends on seed and epoch alone, and which know where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from itertools import count
from typing import Any

import torch
from torch.utils.data import Sampler

from eng.dist import get_dist_info, sync_random_seed
from eng.registry import DATA_SAMPLERS

__all__ = ["DefaultSampler", "InfiniteSampler"]


class _StatefulSampler(Sampler[int]):
    """What both samplers share: a seed, an epoch and a position.

    The position counts samples that all processes together have taken from the current order, so
    that it means the same on any number of processes.
    """

    def __init__(self, dataset: Sized, shuffle: bool, seed: int | None) -> None:
        if len(dataset) == 0:
            raise ValueError(
                f"{type(self).__name__} has nothing to sample from: {type(dataset).__name__} is "
                "empty"
            )
        self.rank, self.world_size = get_dist_info()
        self.dataset = dataset
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.position = 0

    def state_dict(self) -> dict[str, Any]:
        """Where the sampler is: ``epoch``, ``position`` and ``seed``, as plain numbers."""
        return {"epoch": self.epoch, "position": self.position, "seed": self.seed}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to where another sampler was, possibly on another number of processes.

        Args:
            state_dict: What :meth:`state_dict` gave.
        """
        self.epoch = state_dict["epoch"]
        self.position = state_dict["position"]
        self.seed = state_dict["seed"]

    def _order(self, turn: int) -> list[int]:
        """All indices in the order of one turn through the dataset."""
        length = len(self.dataset)
        if not self.shuffle:
            return list(range(length))
        generator = torch.Generator().manual_seed(self.seed + turn)
        return torch.randperm(length, generator=generator).tolist()


@DATA_SAMPLERS.register_module()
class DefaultSampler(_StatefulSampler):
    """Goes through a dataset once an epoch, each process taking every ``world_size``-th sample.

    Args:
        dataset: The dataset.
        shuffle: Whether each epoch has a random order. Defaults to True.
        seed: Seed of the order, the same in all processes. Defaults to None: one is drawn and
            shared.
        round_up: Whether samples from the start of the order are added at its end, so that all
            processes get the same number. Defaults to True.

    Raises:
        ValueError: If the dataset is empty.
    """

    def __init__(
        self,
        dataset: Sized,
        shuffle: bool = True,
        seed: int | None = None,
        round_up: bool = True,
    ) -> None:
        super().__init__(dataset, shuffle, seed)
        self.round_up = round_up

    @property
    def total_size(self) -> int:
        """Number of samples of an epoch in all processes together, with those added."""
        length = len(self.dataset)
        if self.round_up:
            return -(-length // self.world_size) * self.world_size
        return length

    def __iter__(self) -> Iterator[int]:
        order = self._order(self.epoch)
        length = len(order)
        start, self.position = self.position, 0
        end = length
        if self.round_up:
            # What is left, not the whole, is rounded up: the position may come from another number
            # of processes, and every process must get as many samples as the others.
            end = start + -(-max(length - start, 0) // self.world_size) * self.world_size
        for place in range(start + self.rank, end, self.world_size):
            yield order[place % length]

    def __len__(self) -> int:
        """Number of samples of a whole epoch in this process."""
        return len(range(self.rank, self.total_size, self.world_size))

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next iteration.

        A position loaded from a state is kept if it belongs to this epoch.

        Args:
            epoch: Number of the epoch, from 0.
        """
        if epoch != self.epoch:
            self.position = 0
        self.epoch = epoch


@DATA_SAMPLERS.register_module()
class InfiniteSampler(_StatefulSampler):
    """Goes through a dataset again and again without an end, each turn in a new order.

    Args:
        dataset: The dataset.
        shuffle: Whether each turn has a random order. Defaults to True.
        seed: Seed of the order, the same in all processes. Defaults to None: one is drawn and
            shared.

    Raises:
        ValueError: If the dataset is empty.
    """

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int | None = None) -> None:
        super().__init__(dataset, shuffle, seed)

    def __iter__(self) -> Iterator[int]:
        length = len(self.dataset)
        turn = -1
        order: list[int] = []
        for place in count(self.position + self.rank, self.world_size):
            if place // length != turn:
                turn = place // length
                order = self._order(turn)
            yield order[place % length]

    def __len__(self) -> int:
        """Number of samples of the dataset."""
        return len(self.dataset)

    def set_epoch(self, epoch: int) -> None:
        """Does nothing: there are no epochs.

        Args:
            epoch: Ignored.
        """
