"""Rebuild the batch of an iteration of a run, to look at its samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import BatchSampler, Subset

from eng.dataset import (
    DefaultSampler,
    InfiniteSampler,
    RawRandomState,
    SampleIndex,
    length_of,
    random_numbers_of,
    samplers_of,
)
from eng.registry import DefaultScope
from eng.utils import StateDict, UserError

from .bad_batches import read_batch
from .batch_indices import find_indices, is_indexed, to_plain, without_samples
from .batch_place import find_points
from .batches import ResumableBatches
from .builders import build_dataloader
from .dataloader_info import (
    is_endless,
    movable_sampler,
    order_is_random,
    own_samplers,
    reseed,
    samples_per_step,
)
from .environment import seed_everything
from .progress import Progress
from .types import Loader, LoaderOrConfig, RunConfig
from .value_report import NonFinite, describe_values, find_non_finite
from .work_dir_config import find_config

__all__ = ["BatchOfRank", "RebuiltBatch", "rebuild_batch"]


@dataclass(frozen=True)
class BatchOfRank:
    """The part of a batch that one process trained on.

    Attributes:
        rank: Rank of the process.
        indices: Dataset indices of its samples.
        samples: The samples, as the dataset returns them.
        data: The batch that they are collated to.
    """

    rank: int
    indices: list[Any]
    samples: list[Any]
    data: Any

    def find_non_finite(self) -> dict[int, list[NonFinite]]:
        """Find the samples with values that are NaN or infinite.

        Returns:
            The values by the number of the sample in the batch, from 0.
        """
        found = {number: find_non_finite(each) for number, each in enumerate(self.samples)}
        return {number: values for number, values in found.items() if values}


@dataclass(frozen=True)
class RebuiltBatch:
    """The batch of an iteration.

    Attributes:
        iteration: Number of the iteration, from 1 as in the log.
        epoch: Number of its epoch of the data, from 1.
        position: Samples of the epoch before it, of all processes.
        seed: Seed of the run.
        problem: What was wrong with its loss, as far as that was written down.
        ranks: Its parts by process.
        notes: What may not be as in the run.
    """

    iteration: int
    epoch: int
    position: int
    seed: int
    problem: str | None
    ranks: list[BatchOfRank]
    notes: list[str] = field(default_factory=list)

    def describe(self) -> Iterator[str]:
        """Yield lines with indices, shapes and dtypes, and the samples that are not finite."""
        place = f"epoch {self.epoch}, position {self.position}, seed {self.seed}"
        yield f"batch of iteration {self.iteration}: {place}"
        if self.problem is not None:
            yield f"written down since {self.problem}"
        bad: list[str] = []
        for part in self.ranks:
            yield f"rank {part.rank}: samples {', '.join(map(str, part.indices))}"
            yield from (f"  {line}" for line in describe_values(part.data))
            for number, values in part.find_non_finite().items():
                bad.append(str(part.indices[number]))
                told = "; ".join(map(str, values))
                yield f"  sample {part.indices[number]}, number {number} of the batch: {told}"
        total = sum(len(part.samples) for part in self.ranks)
        if bad:
            yield f"not finite: {len(bad)} of {total} samples, {', '.join(bad)}"
        else:
            yield f"all values of the {total} samples are finite"
        yield from (f"note: {note}" for note in self.notes)

    def save(self, path: str | Path) -> None:
        """Save the batch by :func:`torch.save`.

        Args:
            path: The file: a dict with ``iteration``, ``epoch``, ``position``, ``seed``, and by
                rank ``indices`` and ``batches``.
        """
        content = {
            "iteration": self.iteration,
            "epoch": self.epoch,
            "position": self.position,
            "seed": self.seed,
            "indices": {
                part.rank: [to_plain(each) for each in part.indices] for part in self.ranks
            },
            "batches": {part.rank: part.data for part in self.ranks},
        }
        torch.save(content, path)


def rebuild_batch(
    work_dir: str | Path,
    iteration: int,
    dataloader: LoaderOrConfig | None = None,
    *,
    cfg: RunConfig | None = None,
    rank: int | None = None,
) -> RebuiltBatch:
    """Rebuild the batch of an iteration from the seed and the position in the data.

    Its indices are those of the run. Samples are as in the run where their random numbers are
    seeded by their position: read by workers, or by a :class:`eng.dataset.BaseDataset`.

    Args:
        work_dir: Work directory of the run.
        iteration: Number of the iteration, from 1 as in the log.
        dataloader: Data loader of training, or its config. Defaults to None: that of ``cfg``.
        cfg: Config of the run. Defaults to None: the one in the work directory.
        rank: The process whose part is rebuilt. Defaults to None, all.

    Returns:
        The batch.

    Raises:
        UserError: If the order of the samples cannot be found again; the message says why.
    """
    folder = str(work_dir)
    if not Path(folder).is_dir():
        raise UserError(f"{folder} is not a directory: name the work_dir of a run")
    if isinstance(iteration, bool) or not hasattr(iteration, "__index__") or iteration < 1:
        raise UserError(f"iterations are counted from 1 as in the log, got {iteration!r}")
    iteration = int(iteration)
    if cfg is None:
        cfg = find_config(folder) if dataloader is None else {}
    given: Any = cfg.get("train_dataloader") if dataloader is None else dataloader
    if given is None:
        raise UserError(f"the config of {folder} has no train_dataloader")
    outside = RawRandomState()
    try:
        return _Rebuilder(folder, iteration, cfg).rebuild(given, rank)
    finally:
        outside.restore()


class _Rebuilder:
    """Rebuilds a batch of a run from its files.

    Args:
        work_dir: Its work directory.
        iteration: Number of the iteration, from 1.
        cfg: Its config.
    """

    def __init__(self, work_dir: str, iteration: int, cfg: Mapping[str, Any]) -> None:
        self._work_dir, self._iteration, self._cfg = work_dir, iteration, cfg
        self._record = read_batch(work_dir, iteration)
        self._before, self._after = find_points(work_dir, iteration)
        self._notes: list[str] = []

    def rebuild(self, given: LoaderOrConfig, rank: int | None) -> RebuiltBatch:
        seed, world_size = self._find_seed(), self._find_world_size()
        if rank is not None and not 0 <= rank < world_size:
            processes = "1 process" if world_size == 1 else f"{world_size} processes"
            raise UserError(f"the run had {processes}, there is no rank {rank}")
        seed_everything(seed)
        with DefaultScope.overwrite_default_scope(self._cfg.get("default_scope", "mmengine")):
            loader: Loader = build_dataloader(given, seed=seed)
        if not is_indexed(loader):
            raise UserError(
                "the training data has no indices that a batch could be rebuilt from: it is an "
                "iterable dataset, or its data loader has a state of its own"
            )
        order = without_samples(loader)  # whose samplers may be moved
        self._reseed(order)
        progress = self._find_place(order, seed, world_size)
        parts = []
        for each in range(world_size) if rank is None else [rank]:
            indices = self._find_indices(order, progress, seed, world_size, each)
            parts.append(_read_part(loader, each, indices))
        return RebuiltBatch(
            iteration=self._iteration,
            epoch=progress.data_epoch + 1,
            position=progress.position,
            seed=seed,
            problem=None if self._record is None else self._record.problem,
            ranks=parts,
            notes=self._notes,
        )

    def _find_seed(self) -> int:
        points = [self._record, self._before, self._after]
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
        points = [self._record, self._after, self._before]
        return next((each.world_size for each in points if each and each.world_size), 1)

    def _reseed(self, loader: Loader) -> None:
        for each in (self._record, self._before, self._after):
            if each is not None and each.sampler_seed is not None:
                reseed(loader, each.sampler_seed)
                return

    # ------------------------------------------------------------------ the place

    def _find_place(self, loader: Loader, seed: int, world_size: int) -> Progress:
        """Find the epoch of the data and the position in it."""
        if self._record is not None:
            epoch, position = self._record.epoch - 1, self._record.position
            return Progress(data_epoch=epoch, position=position)
        problem = self._describe_unknown(loader, Progress(), world_size)
        if world_size > 1 and problem is not None:
            raise UserError(problem)
        _place_in_group(loader, 0, world_size)
        progress = Progress(data_epoch=self._before.data_epoch, position=self._before.position)
        batches = ResumableBatches(loader, progress, seed)
        progress.samples_per_iter = samples_per_step(loader) * world_size
        count = self._iteration - 1 - self._before.iter
        if is_endless(loader):
            progress.position += count * progress.samples_per_iter
            self._check_length(None)
            return progress
        left = batches.left_of_epoch
        self._check_length(left, length_of(loader) or 0)
        if count < left:
            progress.position += count * progress.samples_per_iter
        else:
            epochs, done = divmod(count - left, len(loader))
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
        if last is not None and self._iteration > last:
            raise UserError(f"the run has {last} iterations, got {self._iteration}")

    # ------------------------------------------------------------------ the indices

    def _find_indices(
        self, order: Loader, progress: Progress, seed: int, world_size: int, rank: int
    ) -> list[Any]:
        """Draw the indices of a rank again, or take those that are written down."""
        problem = self._describe_unknown(order, progress, world_size)
        written = None if self._record is None else self._record.indices.get(str(rank))
        if problem is not None and written is None:
            raise UserError(problem)
        if problem is not None:
            return _place(written or [], progress, seed, world_size, rank)
        _place_in_group(order, rank, world_size)
        origin = self._find_origin(progress) if _needs_origin(order) else None
        try:
            indices = find_indices(order, progress, seed, origin) or []
        except StopIteration:
            indices = []
        if written is not None and list(map(to_plain, indices)) != written:
            self._notes.append(
                f"rank {rank}: seed and position lead to samples {indices}; shown are those that "
                "were written down. Has the data or the config changed since?"
            )
            return _place(written, progress, seed, world_size, rank)
        if not indices:
            raise UserError(
                f"the data has no batch at position {progress.position} of epoch "
                f"{progress.data_epoch + 1}. Has it or the config changed since?"
            )
        return indices

    def _describe_unknown(self, order: Loader, progress: Progress, world_size: int) -> str | None:
        """Describe why the order of the samples cannot be drawn again, None if it can."""
        *_, sampler = [type(each).__name__ for each in samplers_of(order)]
        if type(order.batch_sampler) not in (BatchSampler, type(None)):
            sampler = type(order.batch_sampler).__name__
        written = f"nan_loss has written it down as {self._work_dir}/bad_batches/iter_<n>.json"
        if world_size > 1 and not _is_sharded_by_us(order):
            return (
                f"the run had {world_size} processes, and which samples its {sampler} gave to each "
                f"of them is known of a batch only where {written}"
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


def _place(
    written: list[Any], progress: Progress, seed: int, world_size: int, rank: int
) -> list[Any]:
    """Give indices that were written down their places in the order."""
    first = progress.position // world_size
    indices: list[Any] = []
    for number, index in enumerate(written):
        place = (first + number) * world_size + rank
        if isinstance(index, int):
            indices.append(SampleIndex(index, seed, progress.data_epoch, place))
        else:
            indices.append(tuple(index) if isinstance(index, list) else index)
    return indices


def _read_part(loader: Loader, rank: int, indices: list[Any]) -> BatchOfRank:
    """Read and collate samples as a data loader does."""
    dataset = loader.dataset
    together = None if isinstance(dataset, Subset) else getattr(dataset, "__getitems__", None)
    if together is not None:
        with _seeded(loader, indices[0]):
            samples = list(together([_as_given(loader, index) for index in indices]))
    else:
        samples = []
        for index in indices:
            with _seeded(loader, index):
                samples.append(dataset[_as_given(loader, index)])
    data = samples if loader.batch_sampler is not None else samples[0]
    collate = loader.collate_fn
    return BatchOfRank(rank, indices, samples, data if collate is None else collate(data))


def _seeded(loader: Loader, index: object) -> AbstractContextManager[None]:
    """Seed the random numbers of a sample as workers do; without them a dataset does it itself."""
    return random_numbers_of(index) if loader.num_workers else nullcontext()


def _as_given(loader: Loader, index: object) -> object:
    """The index as the dataset gets it."""
    return int(index) if loader.num_workers and isinstance(index, int) else index
