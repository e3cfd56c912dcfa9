"""Rebuild the batch of an iteration of a run, to look at its samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Subset

from eng.dataset import RawRandomState, random_numbers_of
from eng.registry import DefaultScope
from eng.utils import UserError

from .batch_finder import BatchFinder
from .batch_indices import is_indexed, to_plain, without_samples
from .builders import build_dataloader
from .environment import seed_everything
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
        with Path(path).open("wb") as file:  # whose errors are OSErrors, unlike those of torch
            torch.save(content, file)


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
    if cfg is None:
        cfg = find_config(folder) if dataloader is None else {}
    given: Any = cfg.get("train_dataloader") if dataloader is None else dataloader
    if given is None:
        raise UserError(f"the config of {folder} has no train_dataloader")
    finder = BatchFinder(folder, int(iteration), cfg)
    if rank is not None and not 0 <= rank < finder.world_size:
        processes = "1 process" if finder.world_size == 1 else f"{finder.world_size} processes"
        raise UserError(f"rank {rank} is not one of the run, which had {processes}")
    outside = RawRandomState()
    try:
        seed_everything(finder.seed)
        with DefaultScope.overwrite_default_scope(cfg.get("default_scope", "mmengine")):
            return _rebuild(finder, build_dataloader(given, seed=finder.seed), rank)
    finally:
        outside.restore()


def _rebuild(finder: BatchFinder, loader: Loader, rank: int | None) -> RebuiltBatch:
    if not is_indexed(loader):
        raise UserError(
            "the training data has no indices that a batch could be rebuilt from: it is an "
            "iterable dataset, or its data loader has a state of its own"
        )
    order = without_samples(loader)  # whose samplers may be moved
    finder.reseed(order)
    progress = finder.find_place(order)
    ranks = range(finder.world_size) if rank is None else [rank]
    indices = {each: finder.find_indices(order, progress, each) for each in ranks}
    return RebuiltBatch(
        iteration=finder.iteration,
        epoch=progress.data_epoch + 1,
        position=progress.position,
        seed=finder.seed,
        problem=None if finder.record is None else finder.record.problem,
        ranks=[_read_part(loader, each, found) for each, found in indices.items()],
        notes=finder.notes,
    )


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
