"""Functions of loops and loaders under the names used by the OpenMMLab family."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

from eng.dataset import sampler_with
from eng.logging import print_log
from eng.utils import DataBatch

from .arguments import check_intervals
from .environment import seed_everything
from .types import LoaderOrConfig

__all__ = [
    "_InfiniteDataloaderIterator",
    "_get_batch_size",
    "calc_dynamic_intervals",
    "set_random_seed",
]


def set_random_seed(
    seed: int | None = None, deterministic: bool = False, diff_rank_seed: bool = False
) -> int:
    """Seed all random number generators.

    Args:
        seed: The seed. Defaults to None: one is drawn and shared by all processes.
        deterministic: Whether torch uses deterministic algorithms only.
            Defaults to False.
        diff_rank_seed: Whether each process adds its rank to the seed. Defaults to False.

    Returns:
        The seed of this process, with the rank where it is added.
    """
    return seed_everything(seed, deterministic, diff_rank_seed).own


def calc_dynamic_intervals(
    start_interval: int, dynamic_interval_list: list[tuple[int, int]] | None = None
) -> tuple[list[int], list[int]]:
    """Split intervals that change into milestones and the interval from each of them on.

    Args:
        start_interval: The first interval.
        dynamic_interval_list: Pairs of a milestone and an interval. Defaults to None.

    Returns:
        Milestones, from 0, and intervals.

    Raises:
        AssertionError: If an entry is not a pair. It is a :class:`ValueError` as well.

    Examples:
        >>> calc_dynamic_intervals(3, [(5, 1), (9, 2)])
        ([0, 5, 9], [3, 1, 2])
    """
    pairs = [(0, start_interval), *check_intervals(dynamic_interval_list)]
    return [milestone for milestone, _ in pairs], [each for _, each in pairs]


def _get_batch_size(dataloader: LoaderOrConfig) -> int:
    """Samples of a batch of a data loader or its config.

    Raises:
        ValueError: If it does not have one.
    """
    if isinstance(dataloader, Mapping):
        batch_sampler = dataloader.get("batch_sampler")
        size = dataloader.get("batch_size")
        if size is None and isinstance(batch_sampler, Mapping):
            size = batch_sampler.get("batch_size")
        elif size is None:
            size = getattr(batch_sampler, "batch_size", None)
    else:
        size = getattr(dataloader, "batch_size", None)
        if size is None:
            size = getattr(getattr(dataloader, "batch_sampler", None), "batch_size", None)
    if size is None:
        raise ValueError("the data loader has neither batch_size nor a batch_sampler with one")
    return int(size)


class _InfiniteDataloaderIterator:
    """Iterate over a data loader, from its beginning again when it ends.

    Args:
        dataloader: The data loader.
    """

    def __init__(self, dataloader: Iterable[DataBatch]) -> None:
        self._dataloader = dataloader
        self._iterator = iter(dataloader)
        self._epoch = 0

    def __iter__(self) -> Iterator[DataBatch]:
        return self

    def __next__(self) -> DataBatch:
        try:
            return next(self._iterator)
        except StopIteration:
            self._begin_again()
        try:
            return next(self._iterator)
        except StopIteration:
            raise RuntimeError("the data loader has no batch") from None

    def _begin_again(self) -> None:
        print_log(
            "The data ends before training does: it is read again. An InfiniteSampler avoids this.",
            logger="current",
            level=logging.WARNING,
        )
        self._epoch += 1
        sampler = sampler_with(self._dataloader, "set_epoch")
        if sampler is not None:
            sampler.set_epoch(self._epoch)
        self._iterator = iter(self._dataloader)
