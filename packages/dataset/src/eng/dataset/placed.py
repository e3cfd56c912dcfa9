"""Iterate over a data loader with any sampler from a position on."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from functools import partial
from typing import Any, SupportsInt, TypeGuard, cast

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, get_worker_info

from eng.dist import get_data_info
from eng.utils import DataBatch, DataSample

from .randomness import Origin, RawRandomState, SampleIndex
from .worker import seed_each_sample

__all__ = ["PlacedSampler", "open_loader"]


class PlacedSampler:
    """Wraps a sampler to start anywhere in its order and to seed samples by their positions.

    The order is that of the sampler itself. Its indices become :class:`SampleIndex`, so that random
    numbers of a sample depend neither on the number of workers nor on where the iteration started.
    Everything that the sampler draws itself is drawn when an iteration over it starts.

    Args:
        sampler: A sampler of samples, or of batches.
        batch_size: Samples per batch of this process, for a sampler of batches. Defaults to None, a
            sampler of samples.

    Attributes:
        seed: The seed of the samples.
        epoch: Number of the next epoch, from 0.
        start: Samples of this process that an iteration skips, in whole batches unless the
            batch sampler is torch's own.
        times_opened: Number of iterations that were started.
        first: First index or batch of indices of the last iteration; None if it is not of integers.
    """

    def __init__(self, sampler: Iterable[object], batch_size: int | None = None) -> None:
        self._sampler = sampler
        self._batch_size = batch_size
        self.seed = self.epoch = self.start = self.times_opened = 0
        self.first: int | Sequence[object] | None = None
        self._begun: Iterator[object] | None = None

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Draw the order once, for all iterations that start within the context.

        A data loader with workers starts two iterations and uses the second.

        Yields:
            Nothing.
        """
        self._begun = self._start()
        try:
            yield
        finally:
            self._begun = None

    def __iter__(self) -> Iterator[object]:
        self.times_opened += 1
        return self._start() if self._begun is None else self._begun

    def _start(self) -> Iterator[object]:
        sampler = self._sampler
        if type(sampler) is BatchSampler:
            return self._batch_samples(self._draw(sampler.sampler), sampler)
        if self._batch_size is None:
            return self._place(self._draw(sampler), self.start)
        return self._place_batches(self._draw(sampler), -(-self.start // self._batch_size))

    def _draw(self, sampler: Iterable[object]) -> Iterator[object]:
        indices = _draw(sampler)
        begun = list(itertools.islice(indices, 1))
        self.first = _to_integers(begun[0]) if begun else None
        return itertools.chain(begun, indices)

    def __len__(self) -> int:
        return len(cast(Sized, self._sampler))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_sampler"], name)

    def _place(self, indices: Iterator[object], start: int) -> Iterator[object]:
        origins = self._count_origins(start)
        for index in itertools.islice(indices, start, None):
            yield _place_index(index, next(origins))

    def _batch_samples(self, indices: Iterator[object], sampler: BatchSampler) -> Iterator[object]:
        """Batch like torch's own sampler, and place the samples of a batch at once."""
        size, drop_last = sampler.batch_size, sampler.drop_last
        origins = self._count_origins(self.start)
        indices = itertools.islice(indices, self.start, None)
        while batch := list(itertools.islice(indices, size)):
            if drop_last and len(batch) < size:
                return
            yield _place_batch(batch, origins)

    def _place_batches(self, batches: Iterator[object], start: int) -> Iterator[object]:
        number = 0
        for count, batch in enumerate(cast("Iterator[Collection[object]]", batches)):
            if count >= start:
                yield _place_batch(batch, self._count_origins(number))
            number += len(batch)

    def _count_origins(self, number: int) -> Iterator[Origin]:
        """Count seed, epoch and position of the samples of this process, from the n-th one on.

        The position is that in the order of all processes.
        """
        rank, world_size = get_data_info()
        places = itertools.count(number * world_size + rank, world_size)
        return zip(itertools.repeat(self.seed), itertools.repeat(self.epoch), places)


_EACH_CLASS, _EACH_NAME = itertools.repeat(SampleIndex), itertools.repeat("origin")


def _place_batch(batch: Collection[Any], origins: Iterator[Origin]) -> Sequence[object]:
    if set(map(type, batch)) == {int}:  # faster than one by one
        samples = list(map(int.__new__, _EACH_CLASS, batch))
        any(map(setattr, samples, _EACH_NAME, origins))  # which return None: all are set
        return samples
    return [_place_index(index, next(origins)) for index in batch]


def _place_index(index: object, origin: Origin) -> object:
    if isinstance(index, SampleIndex) or not _is_integer(index):
        return index
    return SampleIndex(int(index), *origin)


def open_loader(
    dataloader: Iterable[DataBatch], placed: PlacedSampler | None, base_seed: int = 0
) -> Iterator[DataBatch]:
    """Start an iteration over a data loader, with another sampler instead of its own.

    After the ``worker_init_fn`` of the data loader, each worker seeds samples by their positions.
    Only the order is drawn from random numbers of the run, whether workers are started or
    persistent. The data loader itself is restored afterwards.

    Args:
        dataloader: The data loader.
        placed: The sampler. None uses that of the data loader.
        base_seed: Seed of random numbers that workers draw outside of samples. Defaults to 0.

    Returns:
        The iterator.
    """
    if not isinstance(dataloader, DataLoader) or isinstance(dataloader.dataset, IterableDataset):
        return iter(dataloader)
    replaced: dict[str, object] = {
        "worker_init_fn": partial(_init_worker, dataloader.worker_init_fn),
        "generator": torch.Generator().manual_seed(base_seed),
    }
    if placed is None:
        with _replace(dataloader, replaced):
            return iter(dataloader)
    replaced["sampler" if dataloader.batch_sampler is None else "batch_sampler"] = placed
    with placed.begun(), _replace(dataloader, replaced):
        return iter(dataloader)


@contextmanager
def _replace(dataloader: DataLoader[DataSample], attributes: dict[str, object]) -> Iterator[None]:
    """Replace attributes of a data loader while an iteration starts, which reads them.

    Not by assignment, which a data loader refuses, since it would not affect an open iteration.
    """
    settings = vars(dataloader)
    own = {name: settings[name] for name in attributes}
    settings.update(attributes)
    try:
        yield
    finally:
        settings.update(own)


def _init_worker(own: Callable[[int], object] | None, worker_id: int) -> None:
    if own is not None:
        own(worker_id)
    worker = get_worker_info()
    if worker is not None:
        seed_each_sample(worker.dataset)


def _draw(sampler: Iterable[object]) -> Iterator[object]:
    """Start an iteration over a sampler that draws nothing from the run's generators later on.

    Most samplers draw their order with their first index. One that draws as it iterates,
    interleaved with the draws of training, gets its own random numbers.
    """
    indices = iter(sampler)
    begun = list(itertools.islice(indices, 1))
    drawn = _take_fingerprint()
    begun += itertools.islice(indices, 1)
    if drawn != _take_fingerprint():
        indices = _draw_apart(indices, int(torch.randint(2**62, ())))
    return itertools.chain(begun, indices)


def _draw_apart(indices: Iterator[object], seed: int) -> Iterator[object]:
    """Continue an iteration that draws random numbers, as if in its own process."""
    own: RawRandomState | None = None
    while True:
        outside = RawRandomState()
        if own is None:
            random.seed(seed)
            np.random.seed(seed % 2**32)
            torch.default_generator.manual_seed(seed)
        else:
            own.restore()
        try:
            index = next(indices)
        except StopIteration:
            return
        finally:
            own = RawRandomState()
            outside.restore()
        yield index


def _take_fingerprint() -> tuple[object, ...]:
    """Return a value that changes when any of the generators draws."""
    name, key, *more = cast("tuple[str, np.ndarray, object]", np.random.get_state(legacy=True))
    return random.getstate(), name, key.tobytes(), *more, torch.get_rng_state().numpy().tobytes()


def _to_integers(index: object) -> int | Sequence[object] | None:
    """Convert an index or a batch to integers that can be saved; None if that is impossible."""
    if isinstance(index, (list, tuple)):
        each = [_to_integers(one) for one in index]
        return None if None in each else each
    return int(index) if _is_integer(index) else None


def _is_integer(index: object) -> TypeGuard[SupportsInt]:
    return hasattr(index, "__index__") and not isinstance(index, bool)
