"""Save the state of a run as a checkpoint, and resume from one."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import TypeAlias

from eng.checkpoint import (
    CheckpointError,
    CheckpointFolder,
    FolderSaver,
    MapLocation,
    absolute_path,
    complete_weights,
    keep_shards,
    load_shared_checkpoint,
    load_state_dict,
    model_state,
    save_checkpoint,
    shards_to_load,
    weights_to_cpu,
)
from eng.dist import (
    broadcast_object_list,
    get_data_world_size,
    get_world_size,
    is_main_process,
)
from eng.fileio import join_path
from eng.hooks import CheckpointHook, CheckpointWriter
from eng.optim import evaluation_mode
from eng.utils import StateDict, check_inner_path

from .arguments import split_resume
from .checkpoint_meta import dataset_meta_of, warn_of_other_data
from .other_processes import adapt_to_processes, count_global_batch, keep_global_batch
from .progress import Progress
from .protocol import LoopRunner
from .starting_point import choose_starting_point, storage_of
from .types import StorageSettings

__all__ = [
    "choose_place",
    "drop_average",
    "left_out",
    "load_or_resume",
    "load_weights",
    "restore_run",
    "resume_run",
    "save_run",
    "take_checkpoint",
]

#: Pairs of a regular expression and its replacement in names of weights.
Revisions: TypeAlias = Sequence[tuple[str, str]]

#: Keys of a checkpoint that are documented; all other parts are in its ``train_state``.
_KEYS = {
    "model": "state_dict",
    "message_hub": "message_hub",
    "optimizer": "optimizer",
    "param_schedulers": "param_schedulers",
}
#: Entries of the ``meta`` of a run that those of its checkpoints have as well.
_META_OF_RUN = ("mmengine_version", "mmengine", "load_from")


def left_out(optimizer: bool, param_scheduler: bool) -> set[str]:
    """Return the parts of the state that are not requested.

    Args:
        optimizer: Whether the optimizer is requested.
        param_scheduler: Whether the schedulers are.

    Returns:
        Names of parts.
    """
    requested = {
        "optimizer": optimizer,
        "accumulation": optimizer,
        "param_schedulers": param_scheduler,
    }
    return {name for name, wanted in requested.items() if not wanted}


def save_run(
    runner: LoopRunner,
    place: tuple[str, str],
    meta: StateDict,
    by_epoch: bool,
    leave_out: Collection[str],
    *,
    backend_args: StorageSettings | None,
    writer: CheckpointWriter | None,
) -> None:
    """Save the state of a run. Called in all processes.

    The first one writes; with a :class:`FolderSaver`, every process writes its shards.

    Args:
        runner: The runner.
        place: Folder, and name of the file in it.
        meta: Entries of the ``meta`` of the checkpoint. Its ``epoch`` and ``iter``, if given, say
            of which point of training the checkpoint is.
        by_epoch: Whether that is otherwise the end of the present epoch or of the iteration.
        leave_out: Parts of the state that are not saved.
        backend_args: Settings of the storage.
        writer: Writes the checkpoint; None is :func:`eng.checkpoint.save_checkpoint`.

    Raises:
        ValueError: If the name leads out of the folder.
    """
    path, meta, point = choose_place(runner, place, meta, by_epoch, backend_args)
    # In all processes, since sharded states are gathered and hooks may communicate.
    is_folder = isinstance(writer, FolderSaver)
    with evaluation_mode(runner.optim_wrapper), keep_shards() if is_folder else nullcontext():
        checkpoint = collect_checkpoint(runner, point, meta, leave_out)
        if isinstance(writer, FolderSaver):
            writer(checkpoint, path, backend_args=backend_args)
        elif is_main_process():
            checkpoint["state_dict"] = weights_to_cpu(checkpoint["state_dict"])
            (writer or save_checkpoint)(checkpoint, path, backend_args=backend_args)


def choose_place(
    runner: LoopRunner,
    place: tuple[str, str],
    meta: StateDict,
    by_epoch: bool,
    backend_args: StorageSettings | None,
) -> tuple[str, StateDict, Progress]:
    """Choose the path of a checkpoint, and the point of training that it is of.

    Args:
        runner: The runner.
        place: Folder, and name of the file in it.
        meta: Entries of the ``meta`` of the checkpoint, perhaps with ``epoch`` and ``iter``.
        by_epoch: Whether the point is otherwise the end of the present epoch or of the iteration.
        backend_args: Settings of the storage.

    Returns:
        The path, the ``meta`` with ``epoch`` and ``iter``, and the point.

    Raises:
        ValueError: If the name leads out of the folder.
    """
    out_dir, filename = place
    check_inner_path(filename, "filename")
    path = join_path(out_dir, filename, backend_args=backend_args)
    progress = runner.progress
    end = progress.after_epoch() if by_epoch else progress.after_iteration()
    meta = {"epoch": end.epoch, "iter": end.iter, **meta}
    return path, meta, progress.at(meta["epoch"], meta["iter"])


def collect_checkpoint(
    runner: LoopRunner, point: Progress, meta: StateDict, leave_out: Collection[str]
) -> StateDict:
    """Take the state of a run and let hooks add to it. Called in all processes.

    Args:
        runner: The runner.
        point: The point of training that the checkpoint is of.
        meta: Further entries of the ``meta`` of the checkpoint.
        leave_out: Parts of the state that are not saved.

    Returns:
        The checkpoint, with the same keys and ``meta`` in every process. Its tensors are those of
        this process, not copied.
    """
    checkpoint = take_checkpoint(runner, point, meta, leave_out)
    runner.call_hook("before_save_checkpoint", checkpoint=checkpoint)
    return checkpoint


def take_checkpoint(
    runner: LoopRunner, point: Progress, meta: StateDict, leave_out: Collection[str]
) -> StateDict:
    """Take the state of a run, before hooks add to it. Called in all processes.

    Args:
        runner: The runner.
        point: The point of training that the checkpoint is of.
        meta: Further entries of the ``meta`` of the checkpoint.
        leave_out: Parts of the state that are not saved.

    Returns:
        The checkpoint.
    """
    states = runner.run_state.take(point, leave_out)
    checkpoint: StateDict = {"meta": _collect_meta(runner, meta)}
    checkpoint.update({key: states.pop(name) for name, key in _KEYS.items() if name in states})
    checkpoint["train_state"] = states
    return checkpoint


def _collect_meta(runner: LoopRunner, meta: StateDict) -> StateDict:
    """Collect the ``meta`` of a checkpoint: in all processes that of the first one."""
    described = dataset_meta_of(getattr(runner.train_loop, "dataloader", None))
    boxes = [
        {
            "experiment_name": runner.experiment_name,
            "time": time.strftime("%Y%m%d_%H%M%S"),
            "saved_at": time.time(),
            "seed": runner.seed,
            "world_size": get_world_size(),
            "data_world_size": get_data_world_size(),
            "global_batch": count_global_batch(runner),
            "cfg": runner.meta["cfg"],
            **({} if described is None else {"dataset_meta": described}),
            **{key: runner.meta[key] for key in _META_OF_RUN if key in runner.meta},
            **meta,
        }
    ]
    broadcast_object_list(boxes)
    return boxes[0]


def load_or_resume(runner: LoopRunner, load_from: str | None, resume: bool | str) -> None:
    """Load the weights that training starts from, or resume. Called in all processes.

    Args:
        runner: The runner.
        load_from: Path or address of a checkpoint.
        resume: Whether to resume, see :func:`eng.runner.starting_point.choose_starting_point`, or
            the path of the checkpoint to resume from, unless the run has newer ones.

    Raises:
        RunnerConfigError: If both are paths.
    """
    load_from, resume = split_resume(load_from, resume)
    start = choose_starting_point(runner.work_dir, _list_folders(runner), load_from, resume)
    for level, text in start.lines:
        runner.logger.log(level, text)
    if load_from is not None:
        # By which a run that is started again knows its own checkpoints.
        runner.meta["load_from"] = absolute_path(load_from)
    if start.path is not None and start.is_resumed:
        runner.resume(start.path)
    elif start.path is not None:
        runner.load_checkpoint(start.path)


def _list_folders(runner: LoopRunner) -> list[CheckpointFolder]:
    """List the folders in which the hooks of a run save."""
    hooks = (hook for hook in runner.hooks if isinstance(hook, CheckpointHook))
    return [hook.folder_in(runner.work_dir) for hook in hooks]


def load_weights(
    runner: LoopRunner,
    filename: str,
    map_location: MapLocation,
    strict: bool,
    revise_keys: Revisions,
) -> StateDict:
    """Load the weights of a checkpoint into the model of a run.

    Args:
        runner: The runner.
        filename: Path or address of the checkpoint.
        map_location: As for :func:`torch.load`.
        strict: Whether missing and unexpected keys and size mismatches are an error.
        revise_keys: Pairs of a regular expression and its replacement for the names.

    Returns:
        The checkpoint.
    """
    storage = storage_of(_list_folders(runner), filename)
    like = shards_to_load(runner.model)
    checkpoint = load_shared_checkpoint(filename, map_location, runner.logger, storage, like)
    del like
    state = model_state(checkpoint, filename, revise_keys)
    checkpoint = (
        {**checkpoint, "state_dict": state} if "state_dict" in checkpoint else {"state_dict": state}
    )
    read = partial(load_shared_checkpoint, map_location=map_location, logger=runner.logger)
    checkpoint = complete_weights(runner.model, checkpoint, filename, runner.logger, read)
    if runner.is_resuming:
        checkpoint = drop_average(runner, checkpoint)
    # Before the weights are loaded, since hooks swap them, as EMAHook does.
    runner.call_hook("after_load_checkpoint", checkpoint=checkpoint)
    load_state_dict(runner.model, checkpoint["state_dict"], strict, runner.logger)
    return checkpoint


def drop_average(runner: LoopRunner, checkpoint: StateDict) -> StateDict:
    """Without a hook that averages weights, use the weights of training instead of the average.

    Args:
        runner: The runner.
        checkpoint: A checkpoint that it is resumed from.

    Returns:
        The checkpoint with the weights that the run is to have.
    """
    averaged = checkpoint.get("ema_state_dict")
    # A third-party hook may load the average as well: it is known by its name.
    has_hook = any("ema" in type(hook).__name__.lower() for hook in runner.hooks)
    if has_hook or not isinstance(averaged, Mapping):
        return checkpoint
    runner.logger.warning(
        "The checkpoint has an average of the weights as its model, the config has no EMAHook: "
        "the weights of training are used, and the average is left out."
    )
    weights = checkpoint["state_dict"]
    own = {name: averaged.get(f"module.{name}", value) for name, value in weights.items()}
    return {**checkpoint, "state_dict": own}


def resume_run(
    runner: LoopRunner, filename: str, *, map_location: MapLocation, leave_out: Collection[str]
) -> None:
    """Resume a run from a checkpoint.

    Args:
        runner: The runner.
        filename: Path or address of the checkpoint.
        map_location: As for :func:`torch.load`.
        leave_out: Parts of the state that stay as they are.

    Raises:
        CheckpointError: If the checkpoint does not say how far the run had come.
    """
    checkpoint = load_weights(runner, filename, map_location, False, [(r"^module\.", "")])
    restore_run(runner, checkpoint, filename, leave_out)


def restore_run(
    runner: LoopRunner, checkpoint: StateDict, filename: str, leave_out: Collection[str]
) -> None:
    """Restore the parts of a run, but for the weights of the model, from a checkpoint.

    Args:
        runner: The runner.
        checkpoint: The checkpoint, whose weights are loaded.
        filename: Its path or address.
        leave_out: Parts of the state that stay as they are.

    Raises:
        CheckpointError: If the checkpoint does not say how far the run had come.
    """
    meta = checkpoint.get("meta")
    if not isinstance(meta, Mapping) or "epoch" not in meta or "iter" not in meta:
        raise CheckpointError(
            f"{filename!r} has weights but no 'meta' with epoch and iter: it can be loaded with "
            "load_from=..., but not resumed"
        )
    # Before any part is restored: data loaders and samplers are reseeded, generators advance.
    _take_over_seed(runner, meta.get("seed"))
    described = dataset_meta_of(getattr(runner.train_loop, "dataloader", None))
    warn_of_other_data(meta.get("dataset_meta"), described, runner.logger)
    if "load_from" in meta:
        runner.meta.setdefault("load_from", meta["load_from"])
    states = {name: checkpoint[key] for name, key in _KEYS.items() if key in checkpoint}
    states.update(checkpoint.get("train_state", {}))
    _report_missing_parts(checkpoint, filename, runner)
    states["loop"] = {**states.get("loop", {}), "epoch": meta["epoch"], "iter": meta["iter"]}
    keep_global_batch(runner, meta)  # now, by which an open cycle is restored
    # The weights are loaded already, as hooks have changed them.
    foreign_file = None if "train_state" in checkpoint else filename
    runner.run_state.restore(states, {"model", *leave_out}, foreign_file)
    # By which hooks tell files of this run from others; not part of its state.
    runner.message_hub.update_info("resumed_from", absolute_path(filename), resumed=False)
    adapt_to_processes(runner, meta)
    runner.logger.info(f"Resumed from {filename}: epoch {meta['epoch']}, iter {meta['iter']}.")


def _report_missing_parts(checkpoint: StateDict, filename: str, runner: LoopRunner) -> None:
    """Warn in one line of the parts that a checkpoint of another engine lacks."""
    if "train_state" in checkpoint:
        return
    meta = checkpoint["meta"]
    version = meta.get("mmengine_version", meta.get("mmengine"))  # the latter with strategies
    missing = [key for key in ("optimizer", "message_hub") if key not in checkpoint]
    runner.logger.warning(
        f"{filename} was not saved by this engine"
        f"{f' but by MMEngine {version}' if version else ''}: it has no random numbers and no "
        f"position in the data{''.join(f', no {key}' for key in missing)}. Training continues at "
        "its epoch and iteration, but not to the bit as without the interruption."
    )


def _take_over_seed(runner: LoopRunner, seed: int | None) -> None:
    """Continue with the seed of the checkpoint, so that orders of samples agree."""
    if seed is None or seed == runner.seed:
        return
    if not isinstance(seed, int):
        raise CheckpointError(f"the seed in 'meta' of the checkpoint must be an int, not {seed!r}")
    runner.logger.warning(f"Resuming with seed {seed} of the checkpoint, not {runner.seed}.")
    previous = runner.seed
    runner.set_randomness(**{**runner.environment.randomness, "seed": seed})
    for loop in (runner.train_loop, runner.val_loop, runner.test_loop):
        reseed = getattr(loop, "reseed", None)  # a third-party loop may not have it
        if reseed is not None:
            reseed(seed, previous)
