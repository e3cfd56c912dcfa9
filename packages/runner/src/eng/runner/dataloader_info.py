"""Inspect data loaders of any kind: size, samplers, state, workers."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from functools import partial
from typing import Protocol, TypeGuard

from torch.utils.data import BatchSampler, DataLoader, IterableDataset, SequentialSampler
from torch.utils.data.distributed import DistributedSampler

from eng.dataset import (
    DefaultSampler,
    InfiniteSampler,
    PlacedSampler,
    length_of,
    sampler_with,
    samplers_of,
)
from eng.dist import get_data_world_size
from eng.utils import DataBatch, StateDict

from .errors import RunnerConfigError
from .generators import owner_in
from .run_state import Stateful
from .types import Loader

__all__ = [
    "MovableSampler",
    "check_has_batches",
    "end_workers",
    "has_indices",
    "is_endless",
    "limits_of_resume",
    "movable_sampler",
    "order_is_random",
    "own_samplers",
    "place_sampler",
    "reseed",
    "samples_per_step",
    "stateful_part",
    "stop_workers",
]


_OWN_GENERATOR = (
    "A resumed run is exact unless samples depend on the random generator of {}, whose state is "
    "not saved. Use random, numpy.random and torch, which are seeded for each sample."
)


class MovableSampler(Protocol):
    """A sampler that can be told its epoch and position."""

    def state_dict(self) -> StateDict:
        """Return at least ``epoch`` and ``position``."""

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Continue from an epoch and a position."""


def samples_per_step(dataloader: Loader) -> int:
    """Number of samples that all processes together take in one iteration.

    Args:
        dataloader: The data loader of this process.

    Returns:
        The number.
    """
    return _read_batch_size(dataloader) * get_data_world_size()


def reseed(dataloader: Loader, seed: int | None, instead_of: int | None = None) -> None:
    """Replace the seed of a data loader, so that order and samples agree with those of another.

    Args:
        dataloader: The data loader, whose sampler may have a seed and whose workers may be seeded
            by :func:`eng.dataset.worker_init_fn`.
        seed: The seed; None changes nothing.
        instead_of: The seed that is replaced; others, as one that the config gives the sampler,
            stay. Defaults to None, any.
    """
    if seed is None:
        return
    sampler = sampler_with(dataloader, "seed")
    if sampler is not None and instead_of in (None, sampler.seed):
        sampler.seed = seed
    init = getattr(dataloader, "worker_init_fn", None)
    # A function of the user need not take a seed.
    if isinstance(init, partial) and init.keywords.get("seed") is not None:
        settings = init.keywords
        if settings["seed"] in (instead_of, seed):
            settings = {**settings, "seed": seed}
            dataloader.worker_init_fn = partial(init.func, *init.args, **settings)


def check_has_batches(dataloader: Loader) -> None:
    """Refuse a data loader without batches, before training is reported as done.

    Args:
        dataloader: The data loader. One whose length is unknown is taken to have some.

    Raises:
        RunnerConfigError: If it has no batch.
    """
    if length_of(dataloader) == 0:
        samples = length_of(getattr(dataloader, "dataset", None))
        raise RunnerConfigError(
            f"the training data has no batch: {samples} samples for {get_data_world_size()} "
            f"processes in batches of {_read_batch_size(dataloader)}; with drop_last=True an "
            "incomplete one is left out"
        )


def has_indices(dataset: object) -> TypeGuard[Sized]:
    """Whether a dataset is read by indices and has some.

    Args:
        dataset: The dataset.

    Returns:
        False for an iterable dataset, one without a length and an empty one.
    """
    return (
        isinstance(dataset, Sized) and not isinstance(dataset, IterableDataset) and len(dataset) > 0
    )


def is_endless(dataloader: Loader) -> bool:
    """Whether a data loader never ends, so that it has no epochs.

    Args:
        dataloader: The data loader.

    Returns:
        True with an :class:`eng.dataset.InfiniteSampler`.
    """
    return any(isinstance(sampler, InfiniteSampler) for sampler in samplers_of(dataloader))


def own_samplers(dataloader: Loader) -> list[DefaultSampler | InfiniteSampler]:
    """Samplers of a data loader that are of :mod:`eng.dataset`, subclasses included.

    Args:
        dataloader: The data loader.

    Returns:
        Each of them once.
    """
    found = {id(each): each for each in samplers_of(dataloader)}
    return [each for each in found.values() if isinstance(each, (DefaultSampler, InfiniteSampler))]


def movable_sampler(dataloader: Loader) -> MovableSampler | None:
    """Find the sampler of a data loader whose epoch and position can be set.

    A batch sampler other than torch's own does not follow it, such as one that groups samples by
    shape; neither does a subclass with another order than its base class.

    Args:
        dataloader: The data loader.

    Returns:
        The sampler, or None.
    """
    if type(getattr(dataloader, "batch_sampler", None)) not in (BatchSampler, type(None)):
        return None
    sampler = sampler_with(dataloader, "load_state_dict")
    if sampler is None or not {"epoch", "position"} <= set(sampler.state_dict()):
        return None
    for kind in (DefaultSampler, InfiniteSampler):
        changes_order = type(sampler).__iter__ is not kind.__iter__
        if isinstance(sampler, kind) and changes_order:
            knows_position = type(sampler).load_state_dict is not kind.load_state_dict
            return sampler if knows_position else None
    return sampler


def place_sampler(dataloader: Loader) -> PlacedSampler | None:
    """Make a substitute for the sampler of a data loader that can begin at any position.

    Args:
        dataloader: The data loader.

    Returns:
        The substitute. None for data without indices, and for a data loader of another kind.
    """
    if not isinstance(dataloader, DataLoader) or isinstance(dataloader.dataset, IterableDataset):
        return None
    if dataloader.batch_sampler is None:
        return PlacedSampler(dataloader.sampler)
    return PlacedSampler(dataloader.batch_sampler, _read_batch_size(dataloader))


def stateful_part(dataloader: Loader) -> Stateful | None:
    """Find the part of a data loader that tracks its position in the data.

    Args:
        dataloader: The data loader.

    Returns:
        A data loader with ``state_dict`` and ``load_state_dict``, or the iterable dataset with
        these of one that reads it in this process; else None.
    """
    if _is_stateful(dataloader):
        return dataloader
    dataset = getattr(dataloader, "dataset", None)
    is_read_here = isinstance(dataloader, DataLoader) and dataloader.num_workers == 0
    if is_read_here and isinstance(dataset, IterableDataset) and _is_stateful(dataset):
        return dataset
    return None


def order_is_random(dataloader: Loader) -> bool:
    """Whether the order of samples may depend on the random numbers of the run.

    Args:
        dataloader: The data loader.

    Returns:
        False where it is known to depend on seed and epoch alone.
    """
    if stateful_part(dataloader) is not None:
        return False
    *_, sampler = samplers_of(dataloader) or [None]
    known = (SequentialSampler, DistributedSampler, DefaultSampler, InfiniteSampler)
    return not isinstance(sampler, known)


def limits_of_resume(dataloader: Loader) -> str | None:
    """Explain why a run cannot be resumed exactly from a data loader.

    Args:
        dataloader: The data loader.

    Returns:
        One line with the remedy; None if it can.
    """
    if stateful_part(dataloader) is not None:
        return None
    dataset = getattr(dataloader, "dataset", None)
    if place_sampler(dataloader) is not None:
        owner = owner_in(dataset)
        return None if owner is None else _OWN_GENERATOR.format(type(owner).__name__)
    what = type(dataloader).__name__
    if isinstance(dataset, IterableDataset):
        what = f"{type(dataset).__name__}, an iterable dataset,"
    return (
        f"Resuming this run inside an epoch is not exact: {what} has no state, so that batches are "
        "read again and dropped, and its random draws differ. Exact are torchdata's "
        "StatefulDataLoader, an iterable dataset with state_dict and load_state_dict read with "
        "num_workers=0, and datasets with indices."
    )


def _is_stateful(part: object) -> TypeGuard[Stateful]:
    return hasattr(part, "state_dict") and hasattr(part, "load_state_dict")


def _read_batch_size(dataloader: Loader) -> int:
    batch_sampler = getattr(dataloader, "batch_sampler", None)
    size = getattr(batch_sampler, "batch_size", None) or getattr(dataloader, "batch_size", None)
    return int(size or 1)


def stop_workers(dataloader: Loader, iterator: Iterator[DataBatch]) -> None:
    """End the workers of a data loader now, also those that are stuck in a sample.

    Left to torch, each of these is waited for some seconds.

    Args:
        dataloader: The data loader, which starts new ones when it is read again.
        iterator: Iterator over it.
    """
    for worker in getattr(iterator, "_workers", ()):
        worker.terminate()
    if getattr(dataloader, "_iterator", None) is iterator:  # persistent workers
        dataloader._iterator = None


def end_workers(dataloader: Loader, iterator: Iterator[DataBatch] | None = None) -> None:
    """Shut down the workers of a data loader that is no longer read, each after its sample.

    Left to the garbage collector, a runner in a circle of references takes the queues of its
    workers down before their shutdown, and waits for each of them for five seconds.

    Args:
        dataloader: The data loader, which starts new ones when it is read again.
        iterator: Iterator over it that was not read to its end. Defaults to None.
    """
    persistent = getattr(dataloader, "_iterator", None)
    for opened in (iterator, persistent):
        shut_down = getattr(opened, "_shutdown_workers", None)
        if shut_down is not None:
            shut_down()
    if persistent is not None:
        dataloader._iterator = None
