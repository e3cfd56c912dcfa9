"""Samplers that put samples of similar lengths together, so that batches need little padding."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence, Sized

import numpy as np
import torch
from torch.utils.data import Sampler

from eng.registry import DATA_SAMPLERS
from eng.utils import ArgumentTypeError, ArgumentValueError, override

from .sample_lengths import Lengths, read_lengths
from .sampler import DefaultSampler

__all__ = ["BucketBatchSampler", "LengthGroupedSampler", "TokenBudgetBatchSampler"]


@DATA_SAMPLERS.register_module()
class LengthGroupedSampler(DefaultSampler):
    """Sorts a shuffled order by length within groups of samples, the longest first.

    Consecutive samples are then of similar lengths, while groups stay random. It can be resumed
    anywhere, also on another number of processes.

    Args:
        dataset: The dataset.
        lengths: A number for each sample, or a name: of an attribute of the dataset with a number
            for each sample, or of a field of each ``get_data_info(index)``, or else of each sample,
            which is the length or has one.
        group_size: Number of samples that are sorted together, a multiple of the batch size.
            Defaults to 1600.
        shuffle: Whether to shuffle each epoch. Defaults to True.
        seed: Seed of the order, the same in all processes. Defaults to None: a random seed that is
            synchronized.
        round_up: Whether to pad the order with samples from its start, so that all processes get
            the same number. Defaults to True.

    Raises:
        ValueError: If ``group_size`` is below 1, or lengths are invalid.

    Examples:
        >>> list(LengthGroupedSampler(range(4), [3, 9, 5, 1], group_size=4))
        [1, 2, 0, 3]
    """

    def __init__(
        self,
        dataset: Sized,
        lengths: Lengths,
        group_size: int = 1600,
        shuffle: bool = True,
        seed: int | None = None,
        round_up: bool = True,
    ) -> None:
        super().__init__(dataset, shuffle, seed, round_up)
        if group_size < 1:
            raise ArgumentValueError(f"group_size must be at least 1, got {group_size}")
        self.group_size = group_size
        self.lengths = read_lengths(dataset, lengths)

    @override
    def _draw_order(self, turn: int) -> Sequence[int]:
        order = np.asarray(super()._draw_order(turn))
        group = np.arange(len(order)) // self.group_size
        return order[np.lexsort((-self.lengths[order], group))].data


class _LengthBatchSampler(Sampler[list[int]]):
    """Base class of batch samplers whose batches depend on lengths.

    Batches of an epoch are formed from the whole dataset, shuffled, and dealt to processes in turn,
    so that all processes get the same number of them. Their number is the same in each epoch.
    """

    def __init__(self, sampler: DefaultSampler, lengths: Lengths) -> None:
        if not isinstance(sampler, DefaultSampler):
            raise ArgumentTypeError(
                f"{type(self).__name__} needs a DefaultSampler, whose seed, epoch and shuffle it "
                f"follows, not {type(sampler).__name__}"
            )
        #: Followed for its seed, epoch and processes; a runner sets its epoch.
        self.sampler = sampler
        self.lengths = read_lengths(sampler.dataset, lengths)
        self._count = sum(1 for _ in self._cut(np.arange(len(self.lengths))))

    @abstractmethod
    def _cut(self, order: np.ndarray) -> Iterator[np.ndarray]:
        """Yield batches of indices.

        Args:
            order: All indices in the order of the epoch.
        """

    @override
    def __iter__(self) -> Iterator[list[int]]:
        sampler = self.sampler
        batches = list(self._cut(np.asarray(sampler._draw_order(sampler.epoch))))
        places: list[int] = list(range(len(batches)))
        if sampler.shuffle:
            # Of another seed than the order of samples.
            generator = torch.Generator().manual_seed(sampler.seed + sampler.epoch + 2**31)
            places = torch.randperm(len(batches), generator=generator).tolist()
        own = range(sampler.rank, self._total(), sampler.world_size)
        for place in own:
            yield batches[places[place % len(batches)]].tolist()

    def __len__(self) -> int:
        """Return the number of batches of this process per epoch."""
        return len(range(self.sampler.rank, self._total(), self.sampler.world_size))

    def _total(self) -> int:
        """Number of batches of all processes, with padding."""
        size = self.sampler.world_size
        return -(-self._count // size) * size if self.sampler.round_up else self._count


@DATA_SAMPLERS.register_module()
class BucketBatchSampler(_LengthBatchSampler):
    """Batches of samples from one bucket of lengths each.

    Args:
        sampler: A :class:`DefaultSampler` of the dataset, whose seed, epoch and ``shuffle`` are
            followed. A data loader config provides it.
        batch_size: Samples per batch; the last batch of a bucket may have fewer.
        lengths: A number for each sample, or a name: of an attribute of the dataset with a number
            for each sample, or of a field of each ``get_data_info(index)``, or else of each sample,
            which is the length or has one.
        boundaries: Lengths at which a new bucket starts, in ascending order.
        drop_last: Whether incomplete batches are left out. Defaults to False.

    Raises:
        TypeError: If ``sampler`` is of another class.
        ValueError: If ``batch_size`` is below 1, boundaries do not ascend, lengths are invalid, or
            no batch is complete with ``drop_last``.

    Examples:
        >>> sampler = DefaultSampler(range(4), shuffle=False)
        >>> list(BucketBatchSampler(sampler, 2, [3, 9, 5, 12], boundaries=[8]))
        [[0, 2], [1, 3]]
    """

    def __init__(
        self,
        sampler: DefaultSampler,
        batch_size: int,
        lengths: Lengths,
        boundaries: Sequence[int],
        drop_last: bool = False,
    ) -> None:
        if batch_size < 1:
            raise ArgumentValueError(f"batch_size must be at least 1, got {batch_size}")
        if list(boundaries) != sorted(set(boundaries)):
            raise ArgumentValueError(f"boundaries must ascend, got {list(boundaries)}")
        self.batch_size = batch_size
        self.boundaries = list(boundaries)
        self.drop_last = drop_last
        super().__init__(sampler, lengths)
        if not self._count:
            raise ArgumentValueError(
                f"no bucket has {batch_size} samples, and drop_last leaves incomplete batches out"
            )

    @override
    def _cut(self, order: np.ndarray) -> Iterator[np.ndarray]:
        buckets = np.searchsorted(self.boundaries, self.lengths[order], side="right")
        for bucket in range(len(self.boundaries) + 1):
            indices = order[buckets == bucket]
            end = len(indices)
            if self.drop_last:
                end -= end % self.batch_size
            for start in range(0, end, self.batch_size):
                yield indices[start : min(start + self.batch_size, end)]


@DATA_SAMPLERS.register_module()
class TokenBudgetBatchSampler(_LengthBatchSampler):
    """Batches of as many samples of similar lengths as fit a budget of tokens, with padding.

    A batch takes ``samples * longest`` tokens. Samples of equal lengths are shuffled among batches,
    and batches are shuffled.

    Args:
        sampler: A :class:`DefaultSampler` of the dataset, whose seed, epoch and ``shuffle`` are
            followed. A data loader config provides it.
        max_tokens: Largest number of tokens of a batch, with padding.
        lengths: A number for each sample, or a name: of an attribute of the dataset with a number
            for each sample, or of a field of each ``get_data_info(index)``, or else of each sample,
            which is the length or has one.
        max_samples: Largest number of samples of a batch. Defaults to None, any.

    Raises:
        TypeError: If ``sampler`` is of another class.
        ValueError: If a sample is longer than the budget, ``max_samples`` is below 1, or lengths
            are invalid.

    Examples:
        >>> sampler = DefaultSampler(range(4), shuffle=False)
        >>> list(TokenBudgetBatchSampler(sampler, max_tokens=10, lengths=[3, 9, 5, 4]))
        [[0, 3], [2], [1]]
    """

    def __init__(
        self,
        sampler: DefaultSampler,
        max_tokens: int,
        lengths: Lengths,
        max_samples: int | None = None,
    ) -> None:
        if max_samples is not None and max_samples < 1:
            raise ArgumentValueError(f"max_samples must be at least 1, got {max_samples}")
        self.max_tokens = max_tokens
        self.max_samples = max_samples
        super().__init__(sampler, lengths)

    @override
    def _cut(self, order: np.ndarray) -> Iterator[np.ndarray]:
        lengths = self.lengths[order]
        if lengths.max() > self.max_tokens:
            worst = int(order[lengths.argmax()])
            raise ArgumentValueError(
                f"sample {worst} has {int(lengths.max())} tokens, more than max_tokens="
                f"{self.max_tokens}"
            )
        # Stable, so that the order of the epoch decides among samples of equal lengths.
        order = order[np.argsort(lengths, kind="stable")]
        start = 0
        for place, index in enumerate(order.tolist()):
            count = place - start
            is_full = (count + 1) * int(self.lengths[index]) > self.max_tokens
            if count and (is_full or count == self.max_samples):
                yield order[start:place]
                start = place
        yield order[start:]
