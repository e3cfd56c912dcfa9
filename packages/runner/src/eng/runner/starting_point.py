"""Decide whether a run starts from scratch, from weights, or resumes from a checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eng.checkpoint import (
    CheckpointError,
    CheckpointFolder,
    CheckpointLoader,
    absolute_path,
    find_newest_checkpoint,
    progress_of,
)
from eng.dist import broadcast_object_list, is_main_process

from .types import StorageSettings

__all__ = ["StartingPoint", "choose_starting_point", "storage_of"]


@dataclass
class StartingPoint:
    """The starting point of a run.

    Attributes:
        path: A checkpoint, None to start from scratch.
        is_resumed: Whether the run is resumed from it, and does not only load its weights.
        lines: Lines for the log: levels and texts.
    """

    path: str | None = None
    is_resumed: bool = False
    lines: list[tuple[int, str]] = field(default_factory=list)


def choose_starting_point(
    work_dir: str,
    folders: Sequence[CheckpointFolder],
    load_from: str | None,
    resume: bool | str,
) -> StartingPoint:
    """Choose the starting point of a run in the first process. Called in all processes.

    Args:
        work_dir: The work directory.
        folders: Further folders in which the run has its checkpoints.
        load_from: Path or address of a checkpoint.
        resume: Whether to resume: from the newest whole checkpoint of the work directory that is of
            this run, else from ``load_from``. ``'auto'`` resumes from the newest whole checkpoint
            there, else it has no effect.

    Returns:
        The choice, the same in all processes.

    Raises:
        CheckpointError: If there are checkpoints to resume from, but none of them is whole.
    """
    boxes: list[StartingPoint | Exception | None] = [None]
    if is_main_process():
        try:
            boxes = [_choose(work_dir, folders, load_from, resume)]
        except Exception as error:  # raised in all processes
            boxes = [error]
    broadcast_object_list(boxes)
    (chosen,) = boxes
    if isinstance(chosen, StartingPoint):
        return chosen
    raise chosen or AssertionError("the first process has sent nothing")


def storage_of(folders: Sequence[CheckpointFolder], path: str) -> StorageSettings | None:
    """Settings of the storage of a checkpoint.

    Args:
        folders: Folders of the run.
        path: Path or address of the checkpoint.

    Returns:
        Those of the folder that it is in; None, the default ones, for a file elsewhere.
    """
    return next((each.backend_args for each in folders if each.holds(path)), None)


def _choose(
    work_dir: str,
    folders: Sequence[CheckpointFolder],
    load_from: str | None,
    resume: bool | str,
) -> StartingPoint:
    if not resume:
        return StartingPoint(load_from)
    origin = None if load_from is None or resume == "auto" else absolute_path(load_from)
    found = find_newest_checkpoint(
        work_dir, folders, lambda meta: origin in (None, meta.get("load_from"))
    )
    lines = [
        (logging.WARNING, f"{path} cannot be resumed from: {fault}")
        for path, fault in found.faults.items()
    ]
    lines += [
        (logging.WARNING, f"{path} is incomplete, as it was not written to its end: it is skipped.")
        for path in found.incomplete
    ]
    if found.path is not None:
        run = "" if origin is None else f" of the run that started from {load_from}"
        text = f"Resuming from {found.path}, the newest whole checkpoint{run} in {work_dir}."
        return StartingPoint(found.path, True, [*lines, (logging.INFO, text)])
    if origin is not None and load_from is not None:
        return _start_from(load_from, storage_of(folders, load_from), work_dir, lines)
    if found.faults:
        raise CheckpointError(_describe_faults(work_dir, found.faults))
    start = f"loading the weights of {load_from}" if load_from else "starting from scratch"
    lines = [*lines, (logging.WARNING, f"No checkpoint in {work_dir}: {start}.")]
    return StartingPoint(load_from, False, lines)


def _start_from(
    load_from: str,
    backend_args: StorageSettings | None,
    work_dir: str,
    lines: list[tuple[int, str]],
) -> StartingPoint:
    """Resume from a file that the config names, or load its weights if it has nothing else."""
    is_file = not CheckpointLoader.has_scheme(load_from)
    if is_file and progress_of(load_from, backend_args) is not None:
        text = f"Resuming from {load_from}: {work_dir} has no checkpoint of the run from it yet."
        return StartingPoint(load_from, True, [*lines, (logging.INFO, text)])
    text = (
        f"{load_from} has no epoch and iter to resume from: its weights are loaded, and training "
        "starts at iteration 0."
    )
    return StartingPoint(load_from, False, [*lines, (logging.WARNING, text)])


def _describe_faults(work_dir: str, faults: Mapping[str, str]) -> str:
    tried = "; ".join(f"{path}: {fault}" for path, fault in faults.items())
    return (
        f"no valid checkpoint to resume from in {work_dir}: {tried}. With resume=True, a run does "
        "not start from scratch over existing checkpoints: name a checkpoint by load_from, or "
        "leave out resume"
    )
