"""Samplers whose order depends only on seed and epoch, with a position that can be resumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Sized
from itertools import count, islice

import torch
from torch.utils.data import Sampler

from eng.dist import get_data_info, sync_random_seed
from eng.registry import DATA_SAMPLERS
from eng.utils import StateDict, override

from .randomness import SampleIndex

__all__ = ["DefaultSampler", "InfiniteSampler"]


class _StatefulSampler(Sampler[int]):
    """Base class of samplers with a seed, an epoch and a position.

    The position counts the samples that all processes have consumed from the current order, so that
    it is independent of the number of processes: each step of this sampler counts one for every
    process. A data loader with workers prefetches samples before it returns them.
    """

    # Also of a subclass with a constructor of its own.
    epoch = 0
    position = 0

    def __init__(self, dataset: Sized, shuffle: bool, seed: int | None) -> None:
        if len(dataset) == 0:
            raise ValueError(
                f"{type(self).__name__} cannot sample from an empty dataset: "
                f"{type(dataset).__name__} has length 0"
            )
        self.rank, self.world_size = get_data_info()
        self.dataset = dataset
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else int(seed)
        self.epoch = 0
        self.position = 0

    def state_dict(self) -> StateDict:
        """Return ``epoch``, ``position`` and ``seed`` as integers.

        If a data loader with workers has prefetched samples, resume from the number of samples that
        were used: replace ``position`` with it.
        """
        return {"epoch": self.epoch, "position": self.position, "seed": self.seed}

    def load_state_dict(self, state_dict: Mapping[str, int]) -> None:
        """Resume the position of another sampler, possibly on another number of processes.

        Args:
            state_dict: Result of :meth:`state_dict`.

        Raises:
            ValueError: If a key is missing, or the position is negative.
        """
        missing = sorted({"epoch", "position", "seed"} - set(state_dict))
        if missing:
            raise ValueError(f"missing keys in the state of {type(self).__name__}: {missing}")
        if state_dict["position"] < 0:
            raise ValueError(f"position must be at least 0, not {state_dict['position']}")
        self.epoch = state_dict["epoch"]
        self.position = state_dict["position"]
        self.seed = state_dict["seed"]

    def _draw_order(self, turn: int) -> Sequence[int]:
        """Return all indices in the order of one pass over the dataset."""
        length = self._order_length()
        if not self.shuffle:
            return range(length)
        generator = torch.Generator().manual_seed(self.seed + turn)
        # A view, since a list would take five times the memory.
        return torch.randperm(length, generator=generator).numpy().data

    def _order_length(self) -> int:
        return len(self.dataset)


@DATA_SAMPLERS.register_module()
class DefaultSampler(_StatefulSampler):
    """Samples a dataset once per epoch, sharded over processes by every ``world_size``-th sample.

    Args:
        dataset: The dataset.
        shuffle: Whether to shuffle each epoch. Defaults to True.
        seed: Seed of the order, the same in all processes. Defaults to None: a random seed that is
            synchronized.
        round_up: Whether to pad the order with samples from its start, so that all processes get
            the same number. Defaults to True.

    A subclass may set ``total_size`` for shorter or longer epochs, and ``num_samples`` for its
    length.

    Raises:
        ValueError: If the dataset is empty.
    """

    _start = 0
    _own_total_size: int | None = None
    _own_num_samples: int | None = None

    def __init__(
        self,
        dataset: Sized,
        shuffle: bool = True,
        seed: int | None = None,
        round_up: bool = True,
    ) -> None:
        super().__init__(dataset, shuffle, seed)
        self.round_up = round_up

    @override
    def load_state_dict(self, state_dict: Mapping[str, int]) -> None:
        """Resume the next iteration at the position of another sampler.

        That one may have run on another number of processes.

        Args:
            state_dict: Result of :meth:`state_dict`.

        Raises:
            ValueError: If a key is missing, or the position is negative.
        """
        super().load_state_dict(state_dict)
        self._start = self.position

    @property
    def total_size(self) -> int:
        """Number of samples of all processes per epoch, with padding."""
        if self._own_total_size is not None:
            return self._own_total_size
        length = len(self.dataset)
        if self.round_up:
            return -(-length // self.world_size) * self.world_size
        return length

    @total_size.setter
    def total_size(self, size: int) -> None:
        self._own_total_size = int(size)

    @override
    def __iter__(self) -> Iterator[int]:
        order = self._draw_order(self.epoch)
        length = len(order)
        start, self._start = self._start, 0
        end = max(start, self._end_of_epoch())
        if self.round_up:
            # Round up the remainder, not the whole: the position may come from another number of
            # processes, and every process must get the same number of samples.
            end = start + -(-(end - start) // self.world_size) * self.world_size
        seed, epoch, step = self.seed, self.epoch, self.world_size - self.rank
        self.position = start
        for place in range(start + self.rank, end, self.world_size):
            taken = place + step
            self.position = taken if taken < end else end
            # Not by the class itself, which takes twice as long for each sample.
            index = int.__new__(SampleIndex, order[place % length])
            index.origin = (seed, epoch, place)
            yield index
        self.position = end

    @property
    def num_remaining(self) -> int:
        """Number of samples of this process in the next iteration."""
        end = self._end_of_epoch()
        left = max(0, end - self._start)
        if self.round_up:
            return -(-left // self.world_size)
        return len(range(self._start + self.rank, end, self.world_size))

    def _end_of_epoch(self) -> int:
        """Return the number of samples of all processes per epoch, without padding."""
        length = len(self.dataset)
        if self._own_total_size is None:
            return length
        return self._own_total_size if self.round_up else min(length, self._own_total_size)

    @property
    def num_samples(self) -> int:
        """Number of samples of this process per epoch."""
        if self._own_num_samples is not None:
            return self._own_num_samples
        return len(range(self.rank, self.total_size, self.world_size))

    @num_samples.setter
    def num_samples(self, number: int) -> None:
        self._own_num_samples = int(number)

    def __len__(self) -> int:
        """Return the number of samples of this process per epoch."""
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, which determines the order of the next iteration.

        A loaded position is kept if it belongs to this epoch.

        Args:
            epoch: Number of the epoch, from 0.
        """
        if epoch != self.epoch:
            self.position = self._start = 0
        self.epoch = epoch


@DATA_SAMPLERS.register_module()
class InfiniteSampler(_StatefulSampler):
    """Samples a dataset infinitely, each pass in a new order.

    A new iteration continues at the position of the last one. A subclass may define its own order
    with ``_infinite_indices()`` for all processes or ``_indices_of_rank()`` for each, or set
    ``size`` to sample other indices than those of the dataset.

    Args:
        dataset: The dataset.
        shuffle: Whether to shuffle each pass. Defaults to True.
        seed: Seed of the order, the same in all processes. Defaults to None: a random seed that is
            synchronized.

    Raises:
        ValueError: If the dataset is empty.
    """

    _own_size: int | None = None

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int | None = None) -> None:
        super().__init__(dataset, shuffle, seed)

    @property
    def size(self) -> int:
        """Number of samples of the dataset."""
        return len(self.dataset) if self._own_size is None else self._own_size

    @size.setter
    def size(self, size: int) -> None:
        self._own_size = int(size)

    @override
    def _order_length(self) -> int:
        return self.size

    @override
    def __iter__(self) -> Iterator[int]:
        own = type(self)
        if (own._infinite_indices, own._indices_of_rank) != _INDICES:
            return self._in_own_order()
        return self._in_turns()

    def _in_turns(self) -> Iterator[int]:
        length = self.size
        turn = -1
        order: Sequence[int] = ()
        while True:
            place = self.position + self.rank
            self.position += self.world_size
            if place // length != turn:
                turn = place // length
                order = self._draw_order(turn)
            yield SampleIndex(order[place % length], self.seed, turn, place % length)

    def _in_own_order(self) -> Iterator[int]:
        for index in islice(self._indices_of_rank(), self.position // self.world_size, None):
            place = self.position + self.rank
            self.position += self.world_size
            yield SampleIndex(index, self.seed, 0, place)

    def _infinite_indices(self) -> Iterator[int]:
        """Yield the infinite order of all processes, from its start."""
        for turn in count():
            yield from self._draw_order(turn)

    def _indices_of_rank(self) -> Iterator[int]:
        """Yield the indices of :meth:`_infinite_indices` for this process."""
        return islice(self._infinite_indices(), self.rank, None, self.world_size)

    def __len__(self) -> int:
        """Return the number of samples of the dataset."""
        return self.size

    def set_epoch(self, epoch: int) -> None:
        """Ignore the epoch: an infinite order has none.

        Args:
            epoch: Ignored.
        """


_INDICES = (InfiniteSampler._infinite_indices, InfiniteSampler._indices_of_rank)
