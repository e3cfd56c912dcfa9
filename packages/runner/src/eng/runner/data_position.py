"""Where in its data a training run is, and how to get there again."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from torch.utils.data import DataLoader

from eng.dataset import InfiniteSampler, sampler_with, samplers_of
from eng.dist import get_world_size
from eng.logging import print_log

__all__ = ["EpochIterator", "reseed", "samples_per_step", "seek"]


def samples_per_step(dataloader: DataLoader) -> int:
    """Number of samples that all processes together take in one iteration.

    Args:
        dataloader: The data loader of this process.

    Returns:
        The number.
    """
    batch_size = getattr(dataloader.batch_sampler, "batch_size", None) or dataloader.batch_size or 1
    return int(batch_size) * get_world_size()


def seek(dataloader: DataLoader, epoch: int, position: int) -> int:
    """Make the next iteration over a data loader begin inside an epoch.

    Args:
        dataloader: The data loader. If its sampler has ``load_state_dict`` nothing is read.
        epoch: The epoch.
        position: Number of samples of the epoch that all processes together have done.

    Returns:
        Number of batches that the caller must read and drop, 0 unless the sampler cannot seek.
    """
    sampler = sampler_with(dataloader, "load_state_dict")
    if sampler is not None:
        sampler.load_state_dict({**sampler.state_dict(), "epoch": epoch, "position": position})
        return 0
    batches = position // samples_per_step(dataloader)
    if batches:
        print_log(
            f"The sampler has no load_state_dict: {batches} batches are read and dropped to "
            "get to where the run was.",
            logger="current",
            level=logging.WARNING,
        )
    return batches


def reseed(dataloader: DataLoader, seed: int) -> None:
    """Give the sampler of a data loader the seed of another one, so that their orders agree.

    Args:
        dataloader: The data loader. Nothing happens if its sampler has no seed.
        seed: The seed.
    """
    sampler = sampler_with(dataloader, "seed")
    if sampler is not None:
        sampler.seed = seed


class EpochIterator:
    """Batches of a data loader without an end, epoch after epoch.

    Args:
        dataloader: The data loader.
    """

    def __init__(self, dataloader: DataLoader) -> None:
        self._dataloader = dataloader
        self._step = samples_per_step(dataloader)
        self._epoch = 0
        self._position = 0
        self._batches: Iterator[Any] | None = None

    def state_dict(self) -> dict[str, int]:
        """Where it is: ``data_epoch``, and ``position`` in that as :func:`seek` counts it."""
        return {"data_epoch": self._epoch, "position": self._position}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go on where another one was, whatever its batches were.

        Args:
            state: What :meth:`state_dict` gave.
        """
        self._epoch, self._position = state["data_epoch"], state["position"]
        self._batches = None

    def seek(self, iteration: int) -> None:
        """Begin where a run is that has done a number of iterations with batches like these.

        Args:
            iteration: The number.
        """
        endless = _is_endless(self._dataloader)
        epoch, done = (0, iteration) if endless else divmod(iteration, len(self._dataloader))
        self.load_state_dict({"data_epoch": epoch, "position": done * self._step})

    def _begin(self) -> Iterator[Any]:
        """Batches from the start on. Only now is the sampler moved: hooks may move it before."""
        if not _is_endless(self._dataloader):
            _set_epoch(self._dataloader, self._epoch)
        skip = seek(self._dataloader, self._epoch, self._position)
        return itertools.islice(iter(self._dataloader), skip, None)

    def __iter__(self) -> EpochIterator:
        return self

    def __next__(self) -> Any:
        if self._batches is None:
            self._batches = self._begin()
        try:
            batch = next(self._batches)
        except StopIteration:
            self._epoch += 1
            self._position = 0
            _set_epoch(self._dataloader, self._epoch)
            self._batches = iter(self._dataloader)
            batch = next(self._batches)
        self._position += self._step
        return batch


def _is_endless(dataloader: DataLoader) -> bool:
    return any(isinstance(sampler, InfiniteSampler) for sampler in samplers_of(dataloader))


def _set_epoch(dataloader: DataLoader, epoch: int) -> None:
    sampler = sampler_with(dataloader, "set_epoch")
    if sampler is not None:
        sampler.set_epoch(epoch)
