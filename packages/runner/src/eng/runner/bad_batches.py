"""Write down the batches whose losses are NaN, infinite or spikes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from eng.dataset import sampler_with
from eng.dist import (
    all_gather_object,
    get_data_rank,
    get_data_world_size,
    is_main_process,
    keep_data_ranks,
)
from eng.fileio import BaseStorageBackend, get_file_backend
from eng.hooks import read_record
from eng.utils import StateDict

from .batch_indices import find_indices, to_plain
from .batches import ResumableBatches
from .progress import Progress
from .protocol import LoopRunner

__all__ = ["BadBatch", "read_batch", "write_batch"]

#: Folder of the records in a work directory.
BAD_BATCHES = "bad_batches"
_MOST_SHOWN = 16


@dataclass(frozen=True)
class BadBatch:
    """A batch and the reason why it was written down.

    Attributes:
        iteration: Number of its iteration, from 1 as in the log.
        problem: What is wrong with its loss.
        epoch: Number of its epoch of the data, from 1.
        position: Samples of the epoch before it, of all processes.
        world_size: Number of processes with samples of their own.
        seed: Seed of the run.
        sampler_seed: Seed of the sampler, None if it has none.
        losses: Losses by rank, as text since JSON has no NaN.
        indices: Dataset indices by rank; of data without indices, and of a rank that is not known,
            None.
    """

    iteration: int
    problem: str
    epoch: int
    position: int
    world_size: int
    seed: int
    sampler_seed: int | None
    losses: dict[str, str] = field(default_factory=dict)
    indices: dict[str, list[Any] | None] = field(default_factory=dict)


def write_batch(runner: LoopRunner, problem: str, loss: float | None, together: bool) -> None:
    """Write down the present batch, in a file of the work directory and a line of the log.

    Args:
        runner: The runner, in training.
        problem: What is wrong with the loss.
        loss: The loss of this process, None if it is not known.
        together: Whether this is called in all processes at once. Otherwise this one writes down
            its own part of the batch.
    """
    own = (None if loss is None else repr(loss), _list_indices(runner))
    if together:
        known = dict(enumerate(keep_data_ranks(all_gather_object(own))))
    else:
        known = {get_data_rank(): own}
    if together and not is_main_process():
        return
    record = BadBatch(
        iteration=runner.iter + 1,
        problem=problem,
        epoch=runner.progress.data_epoch + 1,
        position=runner.progress.position,
        world_size=get_data_world_size(),
        seed=runner.seed,
        sampler_seed=_seed_of_sampler(runner),
        losses={str(rank): text for rank, (text, _) in known.items() if text is not None},
        indices={str(rank): indices for rank, (_, indices) in known.items()},
    )
    backend, path = _find_place(runner.work_dir, record.iteration)
    try:
        backend.put_text(f"{json.dumps(asdict(record), indent=1)}\n", path)
        written = f"written to {path}"
    except OSError as error:  # what is wrong with the loss matters more
        written = f"which cannot be written to {path} ({error})"
    runner.logger.warning(
        f"The batch of iteration {record.iteration} is {_show(record)}, {written}."
    )


def read_batch(work_dir: str, iteration: int) -> BadBatch | None:
    """Read what was written down about a batch.

    Args:
        work_dir: The work directory.
        iteration: Number of the iteration, from 1.

    Returns:
        The record; None if there is none, or the file is corrupt, of which it warns.
    """
    name = f"{BAD_BATCHES}/{_name_file(iteration)}"
    consequence = ": the batch is rebuilt from its position."
    return read_record(work_dir, name, _parse, "a batch", consequence)


def _parse(content: StateDict) -> BadBatch:
    record = BadBatch(**content)
    numbers = (record.iteration, record.epoch, record.position, record.world_size, record.seed)
    if not all(isinstance(each, int) for each in numbers):
        raise ValueError("its numbers are not integers")
    if not isinstance(record.indices, Mapping):
        raise ValueError("indices is not a dict by rank")
    if not all(each is None or isinstance(each, list) for each in record.indices.values()):
        raise ValueError("indices has entries that are not lists")
    if record.epoch < 1 or record.position < 0 or record.world_size < 1:
        raise ValueError("its epoch, position or world_size is out of range")
    return record


def _list_indices(runner: LoopRunner) -> list[Any] | None:
    """List the indices of the present batch of this process as plain data."""
    loop: Any = runner.train_loop
    batches = getattr(loop, "batches", None)  # a third-party loop may not have it
    if not isinstance(batches, ResumableBatches):
        return None
    point: Progress = loop.progress
    try:
        indices = find_indices(loop.dataloader, point, batches.seed, batches.origin)
    except Exception as error:  # of a third-party sampler; the run is not to end for it
        runner.logger.warning(f"The indices of the batch are not known: {error!r}")
        return None
    return None if indices is None else [to_plain(index) for index in indices]


def _seed_of_sampler(runner: LoopRunner) -> int | None:
    loader = getattr(runner.train_loop, "dataloader", None)
    seed = getattr(sampler_with(loader, "seed"), "seed", None)
    return seed if isinstance(seed, int) else None


def _find_place(work_dir: str, iteration: int) -> tuple[BaseStorageBackend, str]:
    backend = get_file_backend(work_dir)
    return backend, str(backend.join_path(work_dir, BAD_BATCHES, _name_file(iteration)))


def _name_file(iteration: int) -> str:
    return f"iter_{iteration}.json"


def _show(record: BadBatch) -> str:
    """Show the indices of a batch in one line."""
    parts = []
    for rank, indices in record.indices.items():
        if indices is None:
            continue
        shown = ", ".join(map(str, indices[:_MOST_SHOWN]))
        more = f" and {len(indices) - _MOST_SHOWN} more" if len(indices) > _MOST_SHOWN else ""
        parts.append(f"{shown}{more}{f' (rank {rank})' if record.world_size > 1 else ''}")
    where = f"at position {record.position} of epoch {record.epoch}"
    return f"samples {'; '.join(parts)}, {where}" if parts else f"without indices, {where}"
