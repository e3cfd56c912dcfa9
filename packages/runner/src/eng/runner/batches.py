"""Batches of training, from any position in the data on."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch.utils.data import BatchSampler

from eng.dataset import DefaultSampler, length_of, open_loader, sampler_with, samplers_of
from eng.dist import get_world_size
from eng.logging import print_log

from .data_order import put_generators, replay, take_generators, take_origin
from .dataloader_info import (
    end_workers,
    is_endless,
    movable_sampler,
    order_is_random,
    own_samplers,
    place_sampler,
    samples_per_step,
    stateful_part,
    stop_workers,
)
from .progress import Progress

__all__ = ["ResumableBatches"]


class ResumableBatches:
    """The batches of a data loader from the position of a training run on.

    :meth:`rest_of_epoch` yields those of one epoch of the data. Iterated itself, it goes on epoch
    after epoch without an end.

    The position is reached by what the data loader can do, the first that applies: by its own
    state, or that of an iterable dataset read in this process; by a sampler that can be moved;
    by the indices of any other sampler, in the order that it drew when the epoch began; by reading
    and dropping batches.

    Args:
        dataloader: The data loader.
        progress: Where the run is. What is read is counted by who trains on it; only the epochs of
            the data are counted here, as they begin.
        seed: Seed of what is drawn at random for each sample. Defaults to 0.
    """

    def __init__(self, dataloader: Any, progress: Progress, seed: int = 0) -> None:
        self._dataloader = dataloader
        self._progress = progress
        self.seed = seed
        self._endless: Iterator[Any] | None = None
        self._iterator: Iterator[Any] | None = None
        self._stateful = stateful_part(dataloader)
        self._movable = movable_sampler(dataloader)
        self._placed = None if self._movable else place_sampler(dataloader)
        #: What the present epoch of the data was drawn from.
        self._origin: dict[str, Any] | None = None
        self._resumed: Mapping[str, Any] = {}
        self._preserved_generators: list[Any] | None = None
        progress.samples_per_iter = samples_per_step(dataloader)

    # ------------------------------------------------------------------ state

    def state_dict(self, point: Progress) -> dict[str, Any]:
        """What the order of the data depends on beside the position, in this process.

        Args:
            point: The point of training that it is to stand for.

        Returns:
            Inside an epoch of the data the ``origin`` of its order; otherwise the ``generators``
            that the next one is drawn from. With them the ``loader``'s own state.
        """
        if self._resumed:  # and not opened yet
            return dict(self._resumed)
        if self._origin is not None and point.position:
            state: dict[str, Any] = {"origin": self._origin}
        else:
            preserved = self._preserved_generators
            now = take_generators(self._dataloader) if preserved is None else preserved
            state = {"generators": now}
        if self._stateful is not None:
            state["loader"] = self._stateful.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Open the next epoch of the data, or what is left of one, as another run did.

        Args:
            state: What :meth:`state_dict` returned.
        """
        self._resumed = state
        self._endless = None

    @contextmanager
    def preserved(self) -> Iterator[None]:
        """Put the generators of the data loader back afterwards, around a validation.

        A data loader of validation may share them. What is saved there is the state that training
        continues with.

        Yields:
            Nothing.
        """
        self._preserved_generators = take_generators(self._dataloader)
        try:
            yield
        finally:
            put_generators(self._dataloader, self._preserved_generators)
            self._preserved_generators = None

    def seek(self) -> None:
        """Go to the position of the run, in whatever batches the run came there."""
        self._endless = None

    def seek_iteration(self, iteration: int) -> None:
        """Go to where a run is that has done a number of iterations with batches like these.

        Args:
            iteration: The number.
        """
        progress = self._progress
        epoch, done = (0, iteration)
        length = length_of(self._dataloader)
        if not is_endless(self._dataloader) and length is not None:
            epoch, done = divmod(iteration, length)
        progress.data_epoch, progress.position = epoch, done * progress.samples_per_iter
        self._endless = None

    @property
    def can_break_off(self) -> bool:
        """Whether a wait for a batch may be broken off: what counts by itself would lose it."""
        return self._stateful is None

    def abandon(self) -> None:
        """Give up what is being read at once, and go to the position of the run."""
        if self._iterator is not None:
            stop_workers(self._dataloader, self._iterator)
        self._reopen_at_position()

    def close(self) -> None:
        """End the workers of the data loader. Read again, it goes on from the position."""
        if self._stateful is None:  # what counts by itself would lose what it has read ahead
            end_workers(self._dataloader, self._iterator)
            self._reopen_at_position()

    def _reopen_at_position(self) -> None:
        if self._iterator is not None:
            if self._origin is not None and not self._progress.position:
                put_generators(self._dataloader, self._origin["generators"])
                self._origin = None
            self.load_state_dict(self.state_dict(self._progress))
        self._iterator = self._endless = None

    # ------------------------------------------------------------------ reading

    @property
    def done_of_epoch(self) -> int:
        """Number of batches like these that the position is after."""
        return self._progress.position // self._progress.samples_per_iter

    @property
    def left_of_epoch(self) -> int:
        """Number of batches between the position and the end of the epoch."""
        whole = len(self._dataloader)
        samples = length_of(getattr(self._dataloader, "dataset", None))
        batch_sampler = getattr(self._dataloader, "batch_sampler", None)
        if samples is None or type(batch_sampler) is not BatchSampler:
            return max(0, whole - self.done_of_epoch)
        # The position may be that of batches of another size, or of other processes.
        per_process = len(batch_sampler.sampler)  # type: ignore[arg-type]
        if isinstance(self._movable, DefaultSampler):
            self._move_sampler()
            per_process = self._movable.num_remaining
        else:
            per_process -= self._progress.position // get_world_size()
        size = batch_sampler.batch_size
        return max(0, per_process // size if batch_sampler.drop_last else -(-per_process // size))

    def rest_of_epoch(self) -> Iterator[tuple[int, Any]]:
        """Yield what is left of the epoch of the data.

        Yields:
            The number of a batch in its epoch, from 0, and the batch.
        """
        yield from enumerate(self._open(), self.done_of_epoch)
        self._iterator = None  # read to its end: there is nothing to abandon

    def __iter__(self) -> ResumableBatches:
        return self

    def __next__(self) -> Any:
        if self._endless is None:
            self._endless = self._open()
        try:
            return next(self._endless)
        except StopIteration:
            self._progress.begin_data_epoch()
            self._endless = self._open()
            return next(self._endless)

    # ------------------------------------------------------------------ opening

    def _open(self) -> Iterator[Any]:
        """Begin an iteration at the position. Only now, since hooks may move the sampler before."""
        resumed, self._resumed = self._resumed, {}
        self._set_epoch()
        put_generators(self._dataloader, resumed.get("generators", []))
        origin = resumed.get("origin")
        if origin is None:
            self._origin = take_origin(self._dataloader)
            if self._progress.position and order_is_random(self._dataloader):
                print_log(
                    f"The checkpoint does not hold the order of the samples: of the epoch of the "
                    f"data that it was saved in, {self._progress.position} samples are left out in "
                    "a new order, so that some are seen twice and others not at all. The next "
                    "epoch is whole again. A DefaultSampler has an order that depends on the seed "
                    "alone.",
                    logger="current",
                    level=logging.WARNING,
                )
            return self._begin(resumed)
        self._origin = dict(origin)
        # What opening it draws was drawn before the run was stopped.
        with replay(self._dataloader, origin):
            iterator = self._begin(resumed)
        self._check_order(origin.get("first"))
        return iterator

    def _begin(self, resumed: Mapping[str, Any]) -> Iterator[Any]:
        if self._stateful is not None:
            if "loader" not in resumed:
                return self._drop_done(self._keep(iter(self._dataloader)))
            self._stateful.load_state_dict(resumed["loader"])
            return self._keep(iter(self._dataloader))
        if self._movable is not None:
            self._move_sampler()
            return self._keep(open_loader(self._dataloader, None, self._base_seed))
        placed = self._placed
        if placed is None:
            return self._drop_done(self._keep(iter(self._dataloader)))
        for sampler in own_samplers(self._dataloader):  # within a batch sampler of others
            sampler.load_state_dict(
                {**sampler.state_dict(), "epoch": self._progress.data_epoch, "position": 0}
            )
        placed.seed, placed.epoch = self.seed, self._progress.data_epoch
        placed.start = self._progress.position // get_world_size()
        times = placed.times_opened
        placed.first = None
        iterator = self._keep(open_loader(self._dataloader, placed, self._base_seed))
        if self._origin is not None:
            self._origin["first"] = placed.first
        # A data loader of another class may have its own way to its samples.
        return iterator if placed.times_opened > times else self._drop_done(iterator)

    def _check_order(self, first: Any) -> None:
        """Warn if a sampler began with other samples than before the run was stopped."""
        now = None if self._placed is None else self._placed.first
        if first is None or now is None or first == now:
            return
        *_, sampler = samplers_of(self._dataloader)
        print_log(
            f"{type(sampler).__name__} gives samples in another order than before the run was "
            f"stopped: {self._progress.position} samples of this epoch of the data are left out "
            "in the new order, so that some are seen twice and others not at all. Exact are "
            "samplers of the same data whose order depends on set_epoch, on generators that they "
            "own, or on those of the process.",
            logger="current",
            level=logging.WARNING,
        )

    def _keep(self, iterator: Iterator[Any]) -> Iterator[Any]:
        self._iterator = iterator
        return iterator

    @property
    def _base_seed(self) -> int:
        """Seed of what workers draw beside samples, another one in each epoch."""
        return self.seed + 1_000_003 * self._progress.data_epoch

    def _drop_done(self, iterator: Iterator[Any]) -> Iterator[Any]:
        done = self.done_of_epoch
        if done:
            print_log(
                f"{done} batches are read and dropped to get to the position in the training data.",
                logger="current",
                level=logging.WARNING,
            )
        for _ in range(done):
            next(iterator, None)
        return iterator

    def _move_sampler(self) -> None:
        progress = self._progress
        if self._movable is not None:
            place = {"epoch": progress.data_epoch, "position": progress.position}
            self._movable.load_state_dict({**self._movable.state_dict(), **place})

    def _set_epoch(self) -> None:
        sampler = sampler_with(self._dataloader, "set_epoch")
        if sampler is not None and not is_endless(self._dataloader):
            sampler.set_epoch(self._progress.data_epoch)
