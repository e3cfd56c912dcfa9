"""Find the samples of an iteration from the seed and the files of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.utils.data import BatchSampler

from eng.dataset import DefaultSampler, InfiniteSampler, SampleIndex, length_of, samplers_of
from eng.utils import StateDict, UserError

from .bad_batches import read_batch
from .batch_indices import find_indices, to_plain
from .batch_place import find_points
from .batches import ResumableBatches
from .dataloader_info import (
    is_endless,
    movable_sampler,
    order_is_random,
    own_samplers,
    reseed,
    samples_per_step,
)
from .progress import Progress
from .types import Loader

__all__ = ["BatchFinder"]


class BatchFinder:
    """Finds the samples of an iteration of a run.

    Args:
        work_dir: Work directory of the run.
        iteration: Number of the iteration, from 1.
        cfg: Config of the run.

    Attributes:
        iteration: Number of the iteration, from 1.
        record: What was written down about the batch, None if nothing was.
        seed: Seed of the run.
        world_size: Number of its processes.
        notes: What may not be as in the run.

    Raises:
        UserError: If the seed is not known.
    """

    def __init__(self, work_dir: str, iteration: int, cfg: Mapping[str, Any]) -> None:
        self._work_dir, self.iteration, self._cfg = work_dir, iteration, cfg
        self.record = read_batch(work_dir, iteration)
        self._before, self._after = find_points(work_dir, iteration)
        self.seed, self.world_size = self._find_seed(), self._find_world_size()
        self.notes: list[str] = []

    def _find_seed(self) -> int:
        points = [self.record, self._before, self._after]
        seeds = [each.seed for each in points if each is not None and each.seed is not None]
        configured = (self._cfg.get("randomness") or {}).get("seed")
        if configured is not None:
            seeds.append(configured)
        if not seeds:
            raise UserError(
                f"the seed of the run is not known: {self._work_dir} has no checkpoint, and the "
                "config sets none by randomness=dict(seed=...). Give the one in the log: --config "
                "CONFIG --cfg-options randomness.seed=..."
            )
        return seeds[0]

    def _find_world_size(self) -> int:
        # The one after it was saved by the processes that trained on the batch.
        points = [self.record, self._after, self._before]
        return next((each.world_size for each in points if each and each.world_size), 1)

    def reseed(self, order: Loader) -> None:
        """Seed a sampler as in the run.

        Args:
            order: A data loader, see :func:`without_samples`.
        """
        for each in (self.record, self._before, self._after):
            if each is not None and each.sampler_seed is not None:
                reseed(order, each.sampler_seed)
                return

    # ------------------------------------------------------------------ the place

    def find_place(self, order: Loader) -> Progress:
        """Find the epoch of the data and the position in it.

        Args:
            order: A data loader, see :func:`without_samples`. Its samplers are moved.

        Returns:
            The progress before the iteration, as far as it concerns the data.

        Raises:
            UserError: If it is not known, or the run was shorter.
        """
        if self.record is not None:
            epoch, position = self.record.epoch - 1, self.record.position
            return Progress(data_epoch=epoch, position=position)
        problem = self._describe_unknown(order, Progress())
        if self.world_size > 1 and problem is not None:
            raise UserError(problem)
        _place_in_group(order, 0, self.world_size)
        progress = Progress(data_epoch=self._before.data_epoch, position=self._before.position)
        batches = ResumableBatches(order, progress, self.seed)
        progress.samples_per_iter = samples_per_step(order) * self.world_size
        count = self.iteration - 1 - self._before.iter
        if is_endless(order):
            progress.position += count * progress.samples_per_iter
            self._check_length(None)
            return progress
        left = batches.left_of_epoch
        self._check_length(left, length_of(order) or 0)
        if count < left:
            progress.position += count * progress.samples_per_iter
        else:
            epochs, done = divmod(count - left, len(order))
            progress.data_epoch += 1 + epochs
            progress.position = done * progress.samples_per_iter
        return progress

    def _check_length(self, left: int | None, length: int = 0) -> None:
        """Refuse an iteration after the end of the run, as far as the config says it."""
        train_cfg = self._cfg.get("train_cfg") or {}
        last = train_cfg.get("max_iters")
        if left is not None and train_cfg.get("max_epochs") is not None:
            after = train_cfg["max_epochs"] - self._before.data_epoch - 1
            last = self._before.iter + left + after * length
        if last is not None and self.iteration > last:
            raise UserError(f"the run has {last} iterations, got {self.iteration}")

    # ------------------------------------------------------------------ the indices

    def find_indices(self, order: Loader, progress: Progress, rank: int) -> list[Any]:
        """Draw the indices of a process again, or take those that are written down.

        Args:
            order: A data loader, see :func:`without_samples`. Its samplers are moved.
            progress: The position, from :meth:`find_place`.
            rank: The rank of the process.

        Returns:
            The indices, with their places in the order.

        Raises:
            UserError: If they are not known.
        """
        problem = self._describe_unknown(order, progress)
        written = None if self.record is None else self.record.indices.get(str(rank))
        if problem is not None and written is None:
            raise UserError(problem)
        if problem is not None:
            return self._place(written or [], progress, rank)
        _place_in_group(order, rank, self.world_size)
        origin = self._find_origin(progress) if _needs_origin(order) else None
        try:
            indices = find_indices(order, progress, self.seed, origin) or []
        except StopIteration:
            indices = []
        if written is not None and list(map(to_plain, indices)) != written:
            self.notes.append(
                f"rank {rank}: seed and position lead to samples {indices}; shown are those that "
                "were written down. Has the data or the config changed since?"
            )
            return self._place(written, progress, rank)
        if not indices:
            raise UserError(
                f"the data has no batch at position {progress.position} of epoch "
                f"{progress.data_epoch + 1}. Has it or the config changed since?"
            )
        return indices

    def _describe_unknown(self, order: Loader, progress: Progress) -> str | None:
        """Describe why the order of the samples cannot be drawn again, None if it can."""
        *_, sampler = [type(each).__name__ for each in samplers_of(order)]
        if type(order.batch_sampler) not in (BatchSampler, type(None)):
            sampler = type(order.batch_sampler).__name__
        written = f"nan_loss has written it down as {self._work_dir}/bad_batches/iter_<n>.json"
        if self.world_size > 1 and not _is_sharded_by_us(order):
            return (
                f"the run had {self.world_size} processes, and which samples its {sampler} gave to "
                f"each of them is known of a batch only where {written}"
            )
        if _needs_origin(order) and self._find_origin(progress) is None:
            return (
                f"the order of {sampler} depends on random numbers of the run, which no checkpoint "
                f"of epoch {progress.data_epoch + 1} in {self._work_dir} has: a batch of it is "
                f"known only where {written}. The order of a DefaultSampler depends on the seed"
            )
        return None

    def _find_origin(self, progress: Progress) -> StateDict | None:
        """Find the generator states that the epoch was drawn from in a checkpoint of it."""
        for point in (self._before, self._after):
            is_of_epoch = point is not None and point.data_epoch == progress.data_epoch
            if point is not None and is_of_epoch and point.origin is not None:
                return point.origin
        return None

    def _place(self, written: list[Any], progress: Progress, rank: int) -> list[Any]:
        """Give indices that were written down their places in the order."""
        first = progress.position // self.world_size
        indices: list[Any] = []
        for number, index in enumerate(written):
            place = (first + number) * self.world_size + rank
            if isinstance(index, int):
                indices.append(SampleIndex(index, self.seed, progress.data_epoch, place))
            else:
                indices.append(tuple(index) if isinstance(index, list) else index)
        return indices


def _is_sharded_by_us(order: Loader) -> bool:
    return isinstance(movable_sampler(order), (DefaultSampler, InfiniteSampler))


def _needs_origin(order: Loader) -> bool:
    """Whether the order may depend on random numbers of the run."""
    if type(order.batch_sampler) in (BatchSampler, type(None)):
        return order_is_random(order)
    return not own_samplers(order)


def _place_in_group(order: Loader, rank: int, world_size: int) -> None:
    for sampler in own_samplers(order):
        sampler.rank, sampler.world_size = rank, world_size
