"""Batches of training, from any position in the data on."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from eng.dataset import InfiniteSampler, sampler_with, samplers_of
from eng.dist import get_world_size
from eng.logging import print_log

from .errors import RunnerConfigError
from .progress import Progress

__all__ = ["ResumableBatches", "check_has_batches", "reseed", "samples_per_step", "stop_workers"]


def samples_per_step(dataloader: DataLoader) -> int:
    """Number of samples that all processes together take in one iteration.

    Args:
        dataloader: The data loader of this process.

    Returns:
        The number.
    """
    batch_size = getattr(dataloader.batch_sampler, "batch_size", None) or dataloader.batch_size or 1
    return int(batch_size) * get_world_size()


def reseed(dataloader: DataLoader, seed: int) -> None:
    """Give the sampler of a data loader the seed of another one, so that their orders agree.

    Args:
        dataloader: The data loader. Nothing happens if its sampler has no seed.
        seed: The seed.
    """
    sampler = sampler_with(dataloader, "seed")
    if sampler is not None:
        sampler.seed = seed


def check_has_batches(dataloader: DataLoader) -> None:
    """Refuse to train on nothing, before it is reported as done.

    Args:
        dataloader: The data loader. One whose length is unknown is taken to have some.

    Raises:
        RunnerConfigError: If it has no batch.
    """
    try:
        batches, samples = len(dataloader), len(dataloader.dataset)  # type: ignore[arg-type]
    except TypeError:
        return
    if batches == 0:
        size = getattr(dataloader.batch_sampler, "batch_size", None) or dataloader.batch_size
        raise RunnerConfigError(
            f"the training data has not one batch: {samples} samples for {get_world_size()} "
            f"processes in batches of {size}; with drop_last=True an incomplete one is left out"
        )


def stop_workers(dataloader: DataLoader, iterator: Iterator[Any]) -> None:
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


class ResumableBatches:
    """The batches of a data loader from the position of a training run on.

    :meth:`rest_of_epoch` yields those of one epoch of the data. Iterated itself, it goes on epoch
    after epoch without an end.

    Args:
        dataloader: The data loader.
        progress: Where the run is. What is read is counted by who trains on it; only the epochs of
            the data are counted here, as they begin.
    """

    def __init__(self, dataloader: DataLoader, progress: Progress) -> None:
        self._dataloader = dataloader
        self._progress = progress
        self._endless: Iterator[Any] | None = None
        self._iterator: Iterator[Any] | None = None
        self._batches_to_drop = 0
        progress.samples_per_iter = samples_per_step(dataloader)

    def seek(self) -> None:
        """Go to the position of the run, in whatever batches the run came there."""
        self._batches_to_drop = self._move_sampler()
        self._endless = None

    def seek_iteration(self, iteration: int) -> None:
        """Go to where a run is that has done a number of iterations with batches like these.

        Args:
            iteration: The number.
        """
        progress = self._progress
        epoch, done = (0, iteration)
        if not self._is_endless():
            epoch, done = divmod(iteration, len(self._dataloader))
        progress.data_epoch, progress.position = epoch, done * progress.samples_per_iter
        self._endless = None

    def abandon(self) -> None:
        """Give up what is being read, at once, and go to the position of the run."""
        if self._iterator is not None:
            stop_workers(self._dataloader, self._iterator)
        self._iterator = None
        self.seek()

    def rest_of_epoch(self) -> Iterator[tuple[int, Any]]:
        """Yield what is left of the epoch of the data.

        Yields:
            The number of a batch in its epoch, from 0, and the batch.
        """
        first = self._progress.position // self._progress.samples_per_iter
        drop, self._batches_to_drop = self._batches_to_drop, 0
        yield from enumerate(itertools.islice(self._read(), drop, None), first)

    def __iter__(self) -> ResumableBatches:
        return self

    def __next__(self) -> Any:
        if self._endless is None:
            self._endless = self._continue_epoch()
        try:
            return next(self._endless)
        except StopIteration:
            self._progress.begin_data_epoch()
            self._set_epoch()
            self._endless = self._read()
            return next(self._endless)

    def _continue_epoch(self) -> Iterator[Any]:
        """Batches from the position on. Only now is the sampler moved: hooks may move it before."""
        if not self._is_endless():
            self._set_epoch()
        drop = self._move_sampler()
        return itertools.islice(self._read(), drop, None)

    def _read(self) -> Iterator[Any]:
        self._iterator = iterator = iter(self._dataloader)
        return iterator

    def _move_sampler(self) -> int:
        """Make the next iteration over the data loader begin at the position.

        Returns:
            Number of batches that are still to be read and dropped, 0 unless the sampler cannot be
            moved.
        """
        progress = self._progress
        sampler = sampler_with(self._dataloader, "load_state_dict")
        if sampler is not None:
            place = {"epoch": progress.data_epoch, "position": progress.position}
            sampler.load_state_dict({**sampler.state_dict(), **place})
            return 0
        batches = progress.position // progress.samples_per_iter
        if batches:
            print_log(
                f"The sampler has no load_state_dict: {batches} batches are read and dropped to "
                "get to the position of the run.",
                logger="current",
                level=logging.WARNING,
            )
        return batches

    def _set_epoch(self) -> None:
        sampler = sampler_with(self._dataloader, "set_epoch")
        if sampler is not None:
            sampler.set_epoch(self._progress.data_epoch)

    def _is_endless(self) -> bool:
        return any(
            isinstance(sampler, InfiniteSampler) for sampler in samplers_of(self._dataloader)
        )
