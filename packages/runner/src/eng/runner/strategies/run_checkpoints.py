"""Save and resume the state of a run by a strategy with files of its own."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from eng.checkpoint import MapLocation
from eng.optim import evaluation_mode
from eng.utils import StateDict

from ..checkpointing import choose_place, drop_average, restore_run, take_checkpoint
from ..protocol import LoopRunner
from .state import ReviseKeys, StrategyState

__all__ = ["load_by_strategy", "resume_by_strategy", "save_by_strategy"]

#: Parts of a run that the strategy saves.
_PARTS = {"model", "optimizer", "param_schedulers"}


def save_by_strategy(
    runner: LoopRunner,
    strategy: StrategyState,
    place: tuple[str, str],
    meta: StateDict,
    by_epoch: bool,
    leave_out: Collection[str],
) -> None:
    """Save the state of a run. Called in all processes.

    Args:
        runner: The runner.
        strategy: Its strategy, which has the settings of the storage.
        place: Folder, and name of the checkpoint in it.
        meta: Entries of the ``meta`` of the checkpoint.
        by_epoch: Whether the checkpoint is of the end of the present epoch or of the iteration.
        leave_out: Parts of the state that are not saved.
    """
    path, meta, point = choose_place(runner, place, meta, by_epoch, strategy.backend_args)
    with evaluation_mode(runner.optim_wrapper):
        strategy.save_checkpoint(
            path,
            save_optimizer="optimizer" not in leave_out,
            save_param_scheduler="param_schedulers" not in leave_out,
            extra_ckpt=take_checkpoint(runner, point, meta, {*leave_out, *_PARTS}),
            callback=lambda each: runner.call_hook("before_save_checkpoint", checkpoint=each),
        )


def load_by_strategy(
    runner: LoopRunner,
    strategy: StrategyState,
    filename: str,
    map_location: MapLocation,
    strict: bool,
    revise_keys: ReviseKeys,
) -> StateDict:
    """Load the weights of a checkpoint into the model of a run. Called in all processes.

    Args:
        runner: The runner.
        strategy: Its strategy.
        filename: Path or address of the checkpoint.
        map_location: As for :func:`torch.load`.
        strict: Whether missing and unexpected keys and size mismatches are an error.
        revise_keys: Pairs of a regular expression and its replacement for the names.

    Returns:
        The checkpoint without its weights.
    """
    return strategy.load_checkpoint(
        filename,
        map_location=map_location,
        strict=strict,
        revise_keys=revise_keys,
        callback=partial(_edit, runner),
    )


def resume_by_strategy(
    runner: LoopRunner,
    strategy: StrategyState,
    filename: str,
    map_location: MapLocation,
    leave_out: Collection[str],
) -> None:
    """Resume a run from a checkpoint. Called in all processes.

    Args:
        runner: The runner.
        strategy: Its strategy.
        filename: Path or address of the checkpoint.
        map_location: As for :func:`torch.load`, or ``'default'``.
        leave_out: Parts of the state that stay as they are.
    """
    rest = strategy.resume(
        filename,
        resume_optimizer="optimizer" not in leave_out,
        resume_param_scheduler="param_schedulers" not in leave_out,
        map_location=map_location,
        callback=partial(_edit, runner),
    )
    # What is still there, the strategy leaves to the runner, whose schedules may have changed.
    restored = {each for each in _PARTS if each not in rest}
    restore_run(runner, rest, filename, {"model", "optimizer", *restored, *leave_out})


def _edit(runner: LoopRunner, checkpoint: StateDict) -> None:
    """Let hooks change a checkpoint before its weights are loaded."""
    if runner.is_resuming and "state_dict" in checkpoint:
        checkpoint.update(drop_average(runner, checkpoint))
    runner.call_hook("after_load_checkpoint", checkpoint=checkpoint)
