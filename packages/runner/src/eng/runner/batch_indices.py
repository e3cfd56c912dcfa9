"""Find the dataset indices of a batch from its position, without reading a sample."""

from __future__ import annotations

import copy
from collections.abc import Sized
from dataclasses import replace
from typing import Any, cast

from torch.utils.data import BatchSampler, DataLoader, Dataset

from eng.dataset import RawRandomState
from eng.utils import StateDict, override

from .batches import ResumableBatches
from .data_order import put_generators, take_generators
from .dataloader_info import place_sampler, stateful_part
from .progress import Progress
from .types import Loader

__all__ = ["find_indices", "is_indexed", "to_plain", "without_samples"]


def is_indexed(dataloader: Loader) -> bool:
    """Whether batches of a data loader have indices that their position tells.

    Args:
        dataloader: The data loader.

    Returns:
        False for iterable datasets, data loaders with a state of their own, and other objects.
    """
    return place_sampler(dataloader) is not None and stateful_part(dataloader) is None


def find_indices(
    dataloader: Loader,
    progress: Progress,
    seed: int,
    origin: StateDict | None = None,
) -> list[Any] | None:
    """Find the dataset indices of the batch of this process at a position.

    Nothing is drawn from the random numbers of the run, and its samplers stay where they are.

    Args:
        dataloader: The data loader.
        progress: The position.
        seed: Seed of the random draws of each sample.
        origin: Generator states from which the epoch was drawn. Defaults to None.

    Returns:
        The indices, each with its place in the order. None if the data has none.

    Raises:
        StopIteration: If the data ends before the position.
    """
    if not is_indexed(dataloader):
        return None
    generators, outside = take_generators(dataloader), RawRandomState()
    try:
        only_indices = without_samples(cast("DataLoader[Any]", dataloader))
        batches = ResumableBatches(only_indices, replace(progress), seed)
        if origin is not None:
            batches.load_state_dict({"origin": origin})
        _, batch = next(batches.rest_of_epoch())
    finally:
        put_generators(dataloader, generators)
        outside.restore()
    indices: Any = batch
    return list(indices) if only_indices.batch_sampler is not None else [indices]


def to_plain(index: object) -> object:
    """Return an index as plain data.

    Args:
        index: The index.

    Returns:
        Integers, strings and lists of these.
    """
    if isinstance(index, (list, tuple)):
        return [to_plain(each) for each in index]
    if hasattr(index, "__index__"):
        return int(index)
    return index if isinstance(index, str) else repr(index)


class _IndicesOnly(Dataset[Any]):
    """A dataset whose samples are their indices."""

    def __init__(self, dataset: Sized) -> None:
        self._length = len(dataset) if hasattr(dataset, "__len__") else 0

    def __len__(self) -> int:
        return self._length

    @override
    def __getitem__(self, index: Any) -> Any:
        return index


def without_samples(dataloader: DataLoader[Any]) -> DataLoader[Any]:
    """Make a data loader that yields the indices of another, by copies of its samplers.

    Args:
        dataloader: A data loader that is indexed.

    Returns:
        The data loader. Their samplers draw from the same generators.
    """
    batch_sampler: Any = dataloader.batch_sampler
    settings: dict[str, Any] = {}
    if batch_sampler is None:
        settings.update(batch_size=None, sampler=copy.copy(dataloader.sampler))
    elif type(batch_sampler) is BatchSampler:
        settings["batch_sampler"] = BatchSampler(
            copy.copy(batch_sampler.sampler), batch_sampler.batch_size, batch_sampler.drop_last
        )
    else:
        copied = copy.copy(batch_sampler)
        if "sampler" in vars(copied):
            copied.sampler = copy.copy(copied.sampler)
        settings["batch_sampler"] = copied
    return DataLoader(
        _IndicesOnly(cast(Sized, dataloader.dataset)),
        collate_fn=_keep,
        generator=dataloader.generator,
        **settings,
    )


def _keep(indices: Any) -> Any:
    return indices
