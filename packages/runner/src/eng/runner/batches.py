"""Batches of training, from any position in the data on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain

from torch.utils.data import BatchSampler

from eng.dataset import DefaultSampler, length_of, open_loader, sampler_with, samplers_of
from eng.dist import get_data_world_size
from eng.logging import print_log
from eng.utils import DataBatch, StateDict

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
from .generators import GeneratorState
from .prefetching import prefetch
from .progress import Progress
from .same_samples import check_same_samples
from .types import Loader

__all__ = ["ResumableBatches"]


class ResumableBatches:
    """The batches of a data loader, starting at the position of a training run.

    :meth:`rest_of_epoch` yields those of one epoch of the data. Iteration over the object itself
    never ends: epoch follows epoch.

    The position is restored by the first of these that the data loader supports: by its own
    state, or that of an iterable dataset read in this process; by a sampler that can be moved;
    by the indices of any other sampler, in the order drawn when the epoch began; by reading and
    dropping batches.

    Args:
        dataloader: The data loader.
        progress: Progress of the run. The training loop counts samples; only epochs of the data
            are counted here, when they begin.
        seed: Seed of the random draws of each sample. Defaults to 0.
    """

    def __init__(self, dataloader: Loader, progress: Progress, seed: int = 0) -> None:
        self._progress = progress
        self.seed = seed
        self._endless: Iterator[DataBatch] | None = None
        self._resumed: StateDict = {}
        self._preserved_generators: list[GeneratorState] | None = None
        #: Set by a hook that times the data: wraps the batches of each epoch as they are read.
        self.watch: Callable[[Iterator[DataBatch]], Iterator[DataBatch]] | None = None
        self.replace(dataloader)

    def replace(self, dataloader: Loader) -> None:
        """Read from a data loader from the next time on that one is opened.

        An epoch that is being read goes on to its end. Without epochs the data begins at once.

        Args:
            dataloader: The data loader.
        """
        # In the middle of an iteration, which is still counted as one of the data before.
        self._is_new = self._endless is not None
        self._dataloader = dataloader
        self._stateful = stateful_part(dataloader)
        self._movable = movable_sampler(dataloader)
        self._placed = None if self._movable else place_sampler(dataloader)
        self._progress.samples_per_iter = samples_per_step(dataloader)
        self.read_from(None)

    def read_from(self, iterator: Iterator[DataBatch] | None) -> None:
        """Read batches without end from an iterator, for as long as it has some.

        Args:
            iterator: The iterator; None opens the data loader.
        """
        self._endless = iterator
        self._iterator: Iterator[DataBatch] | None = None
        #: Generator states from which the present epoch of the data was drawn.
        self._origin: StateDict | None = None

    # ------------------------------------------------------------------ state

    def state_dict(self, point: Progress) -> StateDict:
        """Return the state of the data's order, beside the position, of this process.

        Args:
            point: The point of training that it belongs to.

        Returns:
            Inside an epoch of the data the ``origin`` of its order; otherwise the ``generators``
            that the next one is drawn from. With them the ``loader``'s own state.
        """
        if self._resumed:  # and not opened yet
            return dict(self._resumed)
        if self._origin is not None and point.position:
            state: StateDict = {"origin": self._origin}
        else:
            preserved = self._preserved_generators
            now = take_generators(self._dataloader) if preserved is None else preserved
            state = {"generators": now}
        if self._stateful is not None:
            state["loader"] = self._stateful.state_dict()
        return state

    def load_state_dict(self, state: StateDict) -> None:
        """Open the next epoch of the data, or the rest of one, as another run did.

        Args:
            state: State from :meth:`state_dict`.
        """
        self._resumed = state
        self._endless = None

    @contextmanager
    def preserved(self) -> Iterator[None]:
        """Restore the generators of the data loader after a validation.

        A data loader of validation may share them. The state saved meanwhile is that of training.

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
        """Seek the position of the run, with any batch size until there."""
        self._endless = None

    def seek_iteration(self, iteration: int) -> None:
        """Seek the position of a run after a number of iterations with batches of this size.

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
    def origin(self) -> StateDict | None:
        """Generator states from which the present epoch of the data was drawn; None before it."""
        return self._origin

    @property
    def is_resumed(self) -> bool:
        """Whether the data is opened next where another run was."""
        return bool(self._resumed)

    @property
    def can_break_off(self) -> bool:
        """Whether a wait for a batch may be broken off: a stateful loader would lose it."""
        return self._stateful is None

    def abandon(self) -> None:
        """Drop pending reads at once, and seek the position of the run."""
        if self._iterator is not None:
            stop_workers(self._dataloader, self._iterator)
        self._reopen_at_position()

    def close(self) -> None:
        """Shut down the workers of the data loader. Read again, it continues at the position."""
        if self._stateful is None:  # a stateful loader would lose prefetched batches
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
        """Number of batches of this size before the position."""
        return self._progress.position // self._progress.samples_per_iter

    @property
    def left_of_epoch(self) -> int:
        """Number of batches between the position and the end of the epoch."""
        whole = len(self._dataloader)
        samples = length_of(getattr(self._dataloader, "dataset", None))
        batch_sampler = getattr(self._dataloader, "batch_sampler", None)
        if samples is None or type(batch_sampler) is not BatchSampler:
            return max(0, whole - self.done_of_epoch)
        # The position may be one of batches of another size, or of other processes.
        per_process = len(batch_sampler.sampler)  # type: ignore[arg-type]
        if isinstance(self._movable, DefaultSampler):
            self._move_sampler()
            per_process = self._movable.num_remaining
        else:
            per_process -= self._progress.position // get_data_world_size()
        size = batch_sampler.batch_size
        return max(0, per_process // size if batch_sampler.drop_last else -(-per_process // size))

    def rest_of_epoch(self) -> Iterator[tuple[int, DataBatch]]:
        """Iterate over the rest of the epoch of the data.

        Returns:
            An iterator over the number of a batch in its epoch, from 0, and the batch.
        """
        return chain.from_iterable(self._open_epoch())

    def _open_epoch(self) -> Iterator[Iterator[tuple[int, DataBatch]]]:
        """Yield the iterator of :meth:`rest_of_epoch`, opened with its first batch."""
        yield enumerate(self._open_watched(), self.done_of_epoch)
        self._iterator = None  # read to its end: nothing is pending

    def __iter__(self) -> ResumableBatches:
        return self

    def __next__(self) -> DataBatch:
        if self._endless is None:
            if self._is_new:
                self._is_new, self._progress.position = False, 0
            self._endless = self._open_watched()
        try:
            return next(self._endless)
        except StopIteration:
            self._progress.begin_data_epoch()
            self._endless = self._open_watched()
            return next(self._endless)

    # ------------------------------------------------------------------ opening

    def _open_watched(self) -> Iterator[DataBatch]:
        batches = prefetch(self._dataloader, self._open())
        batches = check_same_samples(batches, self._dataloader)
        return batches if self.watch is None else self.watch(batches)

    def _open(self) -> Iterator[DataBatch]:
        """Begin an iteration at the position. Late, since hooks may move the sampler before."""
        resumed, self._resumed = self._resumed, {}
        # Again, as hooks may change the batch size between two epochs.
        self._progress.samples_per_iter = samples_per_step(self._dataloader)
        self._set_epoch()
        put_generators(self._dataloader, resumed.get("generators", []))
        origin = resumed.get("origin")
        if origin is None:
            self._origin = take_origin(self._dataloader)
            if self._progress.position and order_is_random(self._dataloader):
                print_log(
                    "The checkpoint does not have the order of the samples: "
                    f"{self._progress.position} samples of the present epoch are skipped in a new "
                    "order, so that some are seen twice and others not at all. The next epoch is "
                    "complete again. The order of a DefaultSampler depends on the seed alone.",
                    logger="current",
                    level=logging.WARNING,
                )
            return self._begin(resumed)
        self._origin = dict(origin)
        # Opening it repeats the draws from before the run was stopped.
        with replay(self._dataloader, origin):
            iterator = self._begin(resumed)
        self._check_order(origin.get("first"))
        return iterator

    def _begin(self, resumed: StateDict) -> Iterator[DataBatch]:
        if self._stateful is not None:
            if "loader" not in resumed:
                return self._drop_done(self._track(iter(self._dataloader)))
            self._stateful.load_state_dict(resumed["loader"])
            return self._track(iter(self._dataloader))
        if self._movable is not None:
            self._move_sampler()
            return self._track(open_loader(self._dataloader, None, self._base_seed))
        placed = self._placed
        if placed is None:
            return self._drop_done(self._track(iter(self._dataloader)))
        for sampler in own_samplers(self._dataloader):  # inside of a third-party batch sampler
            sampler.load_state_dict(
                {**sampler.state_dict(), "epoch": self._progress.data_epoch, "position": 0}
            )
        placed.seed, placed.epoch = self.seed, self._progress.data_epoch
        placed.start = self._progress.position // get_data_world_size()
        times = placed.times_opened
        placed.first = None
        iterator = self._track(open_loader(self._dataloader, placed, self._base_seed))
        if self._origin is not None:
            self._origin["first"] = placed.first
        # A data loader of another class may read its samples in another way.
        return iterator if placed.times_opened > times else self._drop_done(iterator)

    def _check_order(self, first: object) -> None:
        """Warn if a sampler began with other samples than before the run was stopped."""
        now = None if self._placed is None else self._placed.first
        if first is None or now is None or first == now:
            return
        *_, sampler = samplers_of(self._dataloader)
        print_log(
            f"{type(sampler).__name__} yields samples in another order than before the run was "
            f"stopped: {self._progress.position} samples of this epoch are skipped in the new "
            "order, so that some are seen twice and others not at all. Exact are samplers of the "
            "same data whose order depends on set_epoch, on their own generators, or on the "
            "global ones.",
            logger="current",
            level=logging.WARNING,
        )

    def _track(self, iterator: Iterator[DataBatch]) -> Iterator[DataBatch]:
        self._iterator = iterator
        return iterator

    @property
    def _base_seed(self) -> int:
        """Seed of the draws of workers outside of samples, different in each epoch."""
        return self.seed + 1_000_003 * self._progress.data_epoch

    def _drop_done(self, iterator: Iterator[DataBatch]) -> Iterator[DataBatch]:
        done = self.done_of_epoch
        if done:
            print_log(
                f"{done} batches are read and dropped to restore the position in the data.",
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
