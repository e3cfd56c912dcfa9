"""Shard the samples of a ready data loader over processes."""

from __future__ import annotations

import logging

from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

from eng.dataset import DefaultSampler, DistributedSamplerWrapper
from eng.dist import get_world_size
from eng.logging import print_log

from .dataloader_info import has_indices
from .types import Loader

__all__ = ["share_out"]

_FOR_ONE_PROCESS = (
    SequentialSampler,
    RandomSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
#: Settings that a data loader keeps when it is given another sampler.
_KEPT = (
    "num_workers",
    "collate_fn",
    "pin_memory",
    "timeout",
    "worker_init_fn",
    "multiprocessing_context",
    "generator",
    "prefetch_factor",
    "persistent_workers",
    "pin_memory_device",
)


def share_out(dataloader: Loader, seed: int) -> Loader:
    """Shard the data of a ready data loader over processes.

    Args:
        dataloader: The data loader.
        seed: Seed of the order, the same in all processes.

    Returns:
        The data loader as it is in a single process, and with a sampler or batch sampler that is
        not one of torch's for a single process; otherwise one with the same settings and a sampler
        that shards the samples.
    """
    if get_world_size() == 1 or not _yields_all(dataloader):
        return dataloader
    name = type(dataloader.sampler).__name__
    if type(dataloader) is not DataLoader:
        print_log(
            f"Every process takes all samples of the {type(dataloader).__name__} given, by its "
            f"{name}: use a sampler that shards them, such as eng.dataset.DefaultSampler "
            "or torch's DistributedSampler.",
            logger="current",
            level=logging.WARNING,
        )
        return dataloader
    sampler = _share_out_samples(dataloader, seed)
    print_log(
        f"The samples of the data loader given, by its {name}, are sharded over "
        f"{get_world_size()} processes by a {type(sampler).__name__}: without it every process "
        "would take all of them.",
        logger="current",
        level=logging.WARNING,
    )
    batch_sampler = dataloader.batch_sampler
    shared = DataLoader(
        dataloader.dataset,
        batch_size=getattr(batch_sampler, "batch_size", None),
        drop_last=getattr(batch_sampler, "drop_last", False),
        sampler=sampler,
        **{name: getattr(dataloader, name) for name in _KEPT},
    )
    if hasattr(dataloader, "prefetch_to_device"):
        shared.prefetch_to_device = dataloader.prefetch_to_device
    return shared


def _share_out_samples(dataloader: Loader, seed: int) -> Sampler[int]:
    """Make the sampler of the shard of this process."""
    sampler, dataset = dataloader.sampler, dataloader.dataset
    if isinstance(sampler, SequentialSampler):
        return DefaultSampler(dataset, shuffle=False, seed=seed)
    if type(sampler) is RandomSampler and not sampler.replacement and sampler._num_samples is None:
        return DefaultSampler(dataset, shuffle=True, seed=seed)
    return DistributedSamplerWrapper(sampler, seed)


def _yields_all(dataloader: Loader) -> bool:
    """Whether a data loader is known to yield all samples in every process."""
    if not isinstance(dataloader, DataLoader) or not has_indices(dataloader.dataset):
        return False
    if type(dataloader.batch_sampler) not in (BatchSampler, type(None)):
        return False
    return type(dataloader.sampler) in _FOR_ONE_PROCESS
