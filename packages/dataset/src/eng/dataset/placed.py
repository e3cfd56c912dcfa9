"""Open a data loader from a position on, whatever sampler it has."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, get_worker_info

from eng.dist import get_dist_info

from .randomness import RawRandomState, SampleIndex, place_samples
from .worker import seed_each_sample

__all__ = ["PlacedSampler", "open_loader"]


class PlacedSampler:
    """Stands in for the sampler of a data loader: begins anywhere, gives samples their places.

    The order is that of the sampler itself. Its indices become :class:`SampleIndex`, so that what
    is drawn at random for a sample depends neither on the number of workers nor on where the order
    was begun. All that the sampler draws itself is drawn when an iteration over it begins.

    Args:
        sampler: A sampler of samples, or of batches.
        batch_size: Samples of this process in a batch, by which batches are counted in samples.
            Defaults to None, a sampler of samples.

    Attributes:
        seed: The seed of the samples.
        epoch: Number of the coming epoch, from 0.
        start: Samples of this process that an iteration leaves out, in whole batches unless the
            batch sampler is torch's own.
        times_opened: How often an iteration has begun.
        first: What the sampler gave first, of the iteration that was begun last: a number or a list
            of numbers; None if it was neither.
    """

    def __init__(self, sampler: Any, batch_size: int | None = None) -> None:
        self._sampler = sampler
        self._batch_size = batch_size
        self.seed = self.epoch = self.start = self.times_opened = 0
        self.first: Any = None
        self._begun: Iterator[Any] | None = None

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Draw the order once, for all iterations that are begun within the context.

        A data loader with workers begins two and uses the second.

        Yields:
            Nothing.
        """
        self._begun = self._indices()
        try:
            yield
        finally:
            self._begun = None

    def __iter__(self) -> Iterator[Any]:
        self.times_opened += 1
        return self._indices() if self._begun is None else self._begun

    def _indices(self) -> Iterator[Any]:
        sampler = self._sampler
        if type(sampler) is BatchSampler:
            return self._batch_samples(self._draw(sampler.sampler), sampler)
        if self._batch_size is None:
            return self._place(self._draw(sampler), self.start)
        return self._place_batches(self._draw(sampler), -(-self.start // self._batch_size))

    def _draw(self, sampler: Any) -> Iterator[Any]:
        indices = _draw(sampler)
        begun = list(itertools.islice(indices, 1))
        self.first = _plain(begun[0]) if begun else None
        return itertools.chain(begun, indices)

    def __len__(self) -> int:
        return len(self._sampler)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_sampler"], name)

    def _place(self, indices: Iterator[Any], start: int) -> Iterator[Any]:
        places = _places_from(start)
        for index in itertools.islice(indices, start, None):
            yield self._placed(index, next(places))

    def _batch_samples(self, indices: Iterator[Any], sampler: BatchSampler) -> Iterator[Any]:
        """Batch as torch's own sampler does, and give the samples of a batch places at once."""
        size, drop_last = sampler.batch_size, sampler.drop_last
        places = _places_from(self.start)
        indices = itertools.islice(indices, self.start, None)
        while batch := list(itertools.islice(indices, size)):
            if drop_last and len(batch) < size:
                return
            yield self._placed_batch(batch, places)

    def _place_batches(self, batches: Iterator[Any], start: int) -> Iterator[Any]:
        number = 0
        for count, batch in enumerate(batches):
            if count >= start:
                yield self._placed_batch(batch, _places_from(number))
            number += len(batch)

    def _placed_batch(self, batch: Any, places: Iterator[int]) -> list[Any]:
        own = list(itertools.islice(places, len(batch)))
        if set(map(type, batch)) == {int}:
            return place_samples(batch, self.seed, self.epoch, own)
        return [self._placed(*pair) for pair in zip(batch, own, strict=True)]

    def _placed(self, index: Any, place: int) -> Any:
        if isinstance(index, SampleIndex) or not _is_number(index):
            return index
        return SampleIndex(int(index), self.seed, self.epoch, place)


def _places_from(number: int) -> Iterator[int]:
    """Places of the samples of this process in the order of all, from its ``number``-th on."""
    rank, world_size = get_dist_info()
    return itertools.count(number * world_size + rank, world_size)


def open_loader(dataloader: Any, placed: PlacedSampler | None, base_seed: int = 0) -> Iterator[Any]:
    """Begin an iteration over a data loader with another sampler in place of its own.

    Each worker gives samples random numbers by their places, beside what the ``worker_init_fn`` of
    the data loader does. Nothing but the order is drawn from random numbers of the run, whether
    workers are started or were kept. The data loader itself is afterwards as it was.

    Args:
        dataloader: The data loader.
        placed: What stands in for its sampler. None leaves it its own.
        base_seed: Seed of the workers' random numbers beside those of samples. Defaults to 0.

    Returns:
        The iterator.
    """
    if not isinstance(dataloader, DataLoader) or isinstance(dataloader.dataset, IterableDataset):
        return iter(dataloader)
    replaced: dict[str, Any] = {
        "worker_init_fn": partial(_init_worker, dataloader.worker_init_fn),
        "generator": torch.Generator().manual_seed(base_seed),
    }
    if placed is None:
        with _replaced(dataloader, replaced):
            return iter(dataloader)
    replaced["sampler" if dataloader.batch_sampler is None else "batch_sampler"] = placed
    with placed.begun(), _replaced(dataloader, replaced):
        return iter(dataloader)


@contextmanager
def _replaced(dataloader: DataLoader[Any], attributes: dict[str, Any]) -> Iterator[None]:
    """Replace attributes of a data loader while an iteration is begun, which takes them over.

    Not by assignment, which a data loader refuses, as an iteration that is open would not follow.
    """
    settings = vars(dataloader)
    own = {name: settings[name] for name in attributes}
    settings.update(attributes)
    try:
        yield
    finally:
        settings.update(own)


def _init_worker(own: Any, worker_id: int) -> None:
    if own is not None:
        own(worker_id)
    worker = get_worker_info()
    if worker is not None:
        seed_each_sample(worker.dataset)


def _draw(sampler: Any) -> Iterator[Any]:
    """Begin an iteration over a sampler that draws nothing from the run's generators later on.

    Most draw their order with their first index. One that draws as it goes, in between what
    training draws, is given random numbers of its own.
    """
    indices = iter(sampler)
    begun = list(itertools.islice(indices, 1))
    drawn = _fingerprint()
    begun += itertools.islice(indices, 1)
    if drawn != _fingerprint():
        indices = _draw_apart(indices, int(torch.randint(2**62, ())))
    return itertools.chain(begun, indices)


def _draw_apart(indices: Iterator[Any], seed: int) -> Iterator[Any]:
    """Go on with an iteration that draws random numbers, as if in a process of its own."""
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


def _fingerprint() -> tuple[Any, ...]:
    """What differs once any of the generators has drawn."""
    numpy_state: Any = np.random.get_state(legacy=True)
    name, key, *more = numpy_state
    return random.getstate(), name, key.tobytes(), *more, torch.get_rng_state().numpy().tobytes()


def _plain(index: Any) -> Any:
    """An index, or a batch of them, as numbers that can be saved; None if it has others."""
    if isinstance(index, (list, tuple)):
        each = [_plain(one) for one in index]
        return None if None in each else each
    return int(index) if _is_number(index) else None


def _is_number(index: Any) -> bool:
    return hasattr(index, "__index__") and not isinstance(index, bool)
