"""Samplers whose order depends on seed and epoch alone, and which know where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Sized
from itertools import count, islice
from typing import Any

import torch
from torch.utils.data import Sampler

from eng.dist import get_dist_info, sync_random_seed
from eng.registry import DATA_SAMPLERS
from eng.utils import override

from .randomness import SampleIndex

__all__ = ["DefaultSampler", "InfiniteSampler"]


class _StatefulSampler(Sampler[int]):
    """What both samplers share: a seed, an epoch and a position.

    The position counts samples that all processes together have taken from the current order, so
    that it means the same on any number of processes: each step of this sampler counts one for
    every process. A data loader with workers takes samples ahead of those that it has given out.
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
        """Where the sampler is: ``epoch``, ``position`` and ``seed``, as plain numbers.

        Where a data loader with workers has taken samples ahead, the position to go on from is
        that of the samples which have been used: put it in the place of ``position``.
        """
        return {"epoch": self.epoch, "position": self.position, "seed": self.seed}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to where another sampler was, possibly on another number of processes.

        Args:
            state_dict: What :meth:`state_dict` gave.

        Raises:
            ValueError: If something is missing in it, or the position is negative.
        """
        missing = sorted({"epoch", "position", "seed"} - set(state_dict))
        if missing:
            raise ValueError(f"the state of {type(self).__name__} lacks {missing}")
        if state_dict["position"] < 0:
            raise ValueError(f"a position is at least 0, not {state_dict['position']}")
        self.epoch = state_dict["epoch"]
        self.position = state_dict["position"]
        self.seed = state_dict["seed"]

    def _order(self, turn: int) -> Sequence[int]:
        """All indices in the order of one turn through the dataset."""
        length = len(self.dataset)
        if not self.shuffle:
            return range(length)
        generator = torch.Generator().manual_seed(self.seed + turn)
        # A view, since a list of so many numbers would take five times the memory.
        return torch.randperm(length, generator=generator).numpy().data


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
        self._start = 0

    @override
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Make the next iteration begin where another sampler was.

        That may have run on another number of processes.

        Args:
            state_dict: What :meth:`state_dict` gave.

        Raises:
            ValueError: If something is missing in it, or the position is negative.
        """
        super().load_state_dict(state_dict)
        self._start = self.position

    @property
    def total_size(self) -> int:
        """Number of samples of an epoch in all processes together, with those added."""
        length = len(self.dataset)
        if self.round_up:
            return -(-length // self.world_size) * self.world_size
        return length

    @override
    def __iter__(self) -> Iterator[int]:
        order = self._order(self.epoch)
        length = len(order)
        start, self._start = self._start, 0
        end = max(start, length)
        if self.round_up:
            # What is left, not the whole, is rounded up: the position may come from another number
            # of processes, and every process must get as many samples as the others.
            end = start + -(-(end - start) // self.world_size) * self.world_size
        seed, epoch, step = self.seed, self.epoch, self.world_size - self.rank
        self.position = start
        for place in range(start + self.rank, end, self.world_size):
            taken = place + step
            self.position = taken if taken < end else end
            # Not by the class itself, which takes twice as long: there is one for each sample.
            index = int.__new__(SampleIndex, order[place % length])
            index.origin = (seed, epoch, place)
            yield index
        self.position = end

    @property
    def num_remaining(self) -> int:
        """Number of samples that the next iteration gives this process."""
        length = len(self.dataset)
        left = max(0, length - self._start)
        if self.round_up:
            return -(-left // self.world_size)
        return len(range(self._start + self.rank, length, self.world_size))

    @property
    def num_samples(self) -> int:
        """Number of samples of a whole epoch in this process."""
        return len(range(self.rank, self.total_size, self.world_size))

    def __len__(self) -> int:
        """Number of samples of a whole epoch in this process."""
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next iteration.

        A position loaded from a state is kept if it belongs to this epoch.

        Args:
            epoch: Number of the epoch, from 0.
        """
        if epoch != self.epoch:
            self.position = self._start = 0
        self.epoch = epoch


@DATA_SAMPLERS.register_module()
class InfiniteSampler(_StatefulSampler):
    """Goes through a dataset again and again without an end, each turn in a new order.

    A new iteration goes on where the last one stopped. A subclass may give an order of its own, by
    ``_infinite_indices()`` for all processes together or by ``_indices_of_rank()`` for each.

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

    @property
    def size(self) -> int:
        """Number of samples of the dataset."""
        return len(self.dataset)

    @override
    def __iter__(self) -> Iterator[int]:
        own = type(self)
        if (own._infinite_indices, own._indices_of_rank) != _INDICES:
            return self._in_own_order()
        return self._in_turns()

    def _in_turns(self) -> Iterator[int]:
        length = len(self.dataset)
        turn = -1
        order: Sequence[int] = ()
        while True:
            place = self.position + self.rank
            self.position += self.world_size
            if place // length != turn:
                turn = place // length
                order = self._order(turn)
            yield SampleIndex(order[place % length], self.seed, turn, place % length)

    def _in_own_order(self) -> Iterator[int]:
        for index in islice(self._indices_of_rank(), self.position // self.world_size, None):
            place = self.position + self.rank
            self.position += self.world_size
            yield SampleIndex(index, self.seed, 0, place)

    def _infinite_indices(self) -> Iterator[int]:
        """The order of all processes together, from its start and without an end."""
        for turn in count():
            yield from self._order(turn)

    def _indices_of_rank(self) -> Iterator[int]:
        """What of :meth:`_infinite_indices` is for this process."""
        return islice(self._infinite_indices(), self.rank, None, self.world_size)

    def __len__(self) -> int:
        """Number of samples of the dataset."""
        return len(self.dataset)

    def set_epoch(self, epoch: int) -> None:
        """Does nothing: there are no epochs.

        Args:
            epoch: Ignored.
        """


_INDICES = (InfiniteSampler._infinite_indices, InfiniteSampler._indices_of_rank)
