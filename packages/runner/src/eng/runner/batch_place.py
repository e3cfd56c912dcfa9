"""Find the place of an iteration in the training data, from the files of a run."""

from __future__ import annotations

from dataclasses import dataclass

from eng.checkpoint import (
    CheckpointError,
    CheckpointFolder,
    CheckpointLoader,
    find_latest_checkpoint,
    progress_of,
)
from eng.utils import StateDict

__all__ = ["SavedPoint", "find_points"]


@dataclass(frozen=True)
class SavedPoint:
    """A point of training that a run has saved, or its start.

    Attributes:
        path: The checkpoint, None for the start.
        iter: Iterations done.
        data_epoch: Epoch of the data, from 0.
        position: Samples of it that were trained on by all processes.
        seed: Seed of the run, None if it is not known.
        sampler_seed: Seed of the sampler, None if it is not known.
        world_size: Number of processes with samples of their own, None if it is not known.
        origin: Generator states of the first process from which the epoch is drawn, None if they
            are not known.
    """

    path: str | None = None
    iter: int = 0
    data_epoch: int = 0
    position: int = 0
    seed: int | None = None
    sampler_seed: int | None = None
    world_size: int | None = None
    origin: StateDict | None = None


def find_points(work_dir: str, iteration: int) -> tuple[SavedPoint, SavedPoint | None]:
    """Find the checkpoints around an iteration.

    Args:
        work_dir: The work directory.
        iteration: The iteration, from 1.

    Returns:
        The last point before it, which is the start of the run without such a checkpoint, and the
        first one after it, if any.
    """
    paths = _list_checkpoints(work_dir)
    before = _read_first([paths[done] for done in sorted(paths, reverse=True) if done < iteration])
    after = _read_first([paths[done] for done in sorted(paths) if done >= iteration])
    return before or SavedPoint(), after


def _list_checkpoints(work_dir: str) -> dict[int, str]:
    """The checkpoints of a run by the number of iterations done."""
    folder = CheckpointFolder(work_dir)
    found = [folder.join(name) for name in sorted(folder.names())]
    latest = find_latest_checkpoint(work_dir)
    paths = {}
    for path in [*found, *([latest] if latest else [])]:
        try:
            meta = progress_of(path)
        except (CheckpointError, FileNotFoundError):  # another one may be whole
            continue
        if meta is not None:
            paths[int(meta["iter"])] = path
    return paths


def _read_first(paths: list[str]) -> SavedPoint | None:
    """Read the first checkpoint that is whole and has a position in the data."""
    for path in paths:
        try:
            checkpoint = CheckpointLoader.load_checkpoint(path, "cpu", logger="silent")
        except CheckpointError:
            continue
        # Those of other engines have no position.
        if "data_epoch" in checkpoint.get("train_state", {}).get("loop", {}):
            return _read(path, checkpoint["meta"], checkpoint["train_state"])
    return None


def _read(path: str, meta: StateDict, state: StateDict) -> SavedPoint:
    loop = state["loop"]
    return SavedPoint(
        path=path,
        iter=int(meta["iter"]),
        data_epoch=loop["data_epoch"],
        position=loop["position"],
        seed=meta.get("seed"),
        sampler_seed=loop.get("sampler_seed"),
        world_size=meta.get("data_world_size", meta.get("world_size")),
        origin=_read_origin(state),
    )


def _read_origin(state: StateDict) -> StateDict | None:
    data = (state.get("data") or [None])[0]
    if data is None:
        return None
    if "origin" in data:
        return dict(data["origin"])
    random = (state.get("random") or [None])[0]
    # Between two epochs: the next one is drawn from the state of the run itself.
    return None if random is None else {"random": random, "generators": data["generators"]}
