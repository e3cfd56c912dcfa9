"""The first samples of a dataset, to try a config in a few batches an epoch."""

from __future__ import annotations

import logging
from numbers import Integral
from typing import TypeVar

from torch.utils.data import Dataset

from eng.dataset import length_of
from eng.dist import get_data_world_size
from eng.logging import print_log
from eng.utils import override

from .errors import RunnerConfigError, RunnerTypeError

__all__ = ["first_batches"]

SampleT = TypeVar("SampleT")


class _SlicedDataset(Dataset[SampleT]):
    """The beginning of a dataset; all other attributes are those of the dataset.

    Args:
        dataset: The dataset.
        length: Number of samples.
    """

    def __init__(self, dataset: Dataset[SampleT], length: int) -> None:
        self._dataset = dataset
        self._length = length

    def __getattr__(self, name: str) -> object:
        # Others with such names are those of the copy, which is made without calling __init__.
        if (name.startswith("__") and name != "__getitems__") or "_dataset" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self._dataset, name)

    def __len__(self) -> int:
        return self._length

    @override
    def __getitem__(self, index: int) -> SampleT:
        if not -self._length <= index < self._length:
            raise IndexError(f"sample {index} of the first {self._length}")
        return self._dataset[index if index >= 0 else self._length + index]


def first_batches(dataset: Dataset[SampleT], batches: object, batch_size: int) -> Dataset[SampleT]:
    """Cut a dataset to a number of batches of all processes together.

    Args:
        dataset: The dataset.
        batches: ``num_batch_per_epoch`` of a data loader. Where the dataset has fewer, it stays
            whole, with a warning.
        batch_size: Samples of a batch of one process.

    Returns:
        The dataset, or a view of its beginning.

    Raises:
        RunnerConfigError: If the number is not an integer of at least 1, or the dataset has no
            length.
    """
    if not isinstance(batches, Integral) or isinstance(batches, bool):
        raise RunnerTypeError(f"num_batch_per_epoch must be an integer, got {batches!r}")
    if int(batches) < 1:
        raise RunnerConfigError(f"num_batch_per_epoch must be at least 1, got {batches!r}")
    length = length_of(dataset)
    if length is None:
        raise RunnerConfigError(
            f"num_batch_per_epoch needs a dataset with a length, and {type(dataset).__name__} has "
            "none: leave it out"
        )
    wanted = int(batches) * batch_size * get_data_world_size()
    if wanted > length:
        print_log(
            f"num_batch_per_epoch={batches} requests {wanted} samples, the dataset has {length}: "
            "all of them are used.",
            logger="current",
            level=logging.WARNING,
        )
        return dataset
    return _SlicedDataset(dataset, wanted)
