"""Guard a training run: lock its folder, warn of missing checkpoints, and shut it down."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

from torch import nn

from eng.hooks import CheckpointHook
from eng.optim import BaseOptimWrapper

from .dataloader_info import end_workers
from .interrupted import TrainingInterrupted, saved_when_interrupted
from .model_features import compile_model, prepare_model
from .named_loop import loops_by_name
from .nan_loss import NanLossPolicy
from .out_of_memory import shrink_when_out_of_memory
from .protocol import LoopRunner
from .services import log_end, reported
from .train_loops import TrainLoop
from .work_dir_lock import work_dir_lock

__all__ = ["begin_training", "guarded", "run_training"]

RunnerT = TypeVar("RunnerT", bound=LoopRunner)
ResultT = TypeVar("ResultT")


def guarded(train: Callable[[RunnerT], ResultT]) -> Callable[[RunnerT], ResultT]:
    """Run the training method of a runner while the lock of the work directory is held.

    Args:
        train: The method.

    Returns:
        The guarded method.
    """

    @functools.wraps(train)
    def run(runner: RunnerT) -> ResultT:
        with work_dir_lock(runner.work_dir, runner.logger):
            return train(runner)

    return run


def begin_training(runner: LoopRunner) -> None:
    """Prepare training up to the point at which weights are loaded.

    Args:
        runner: The runner, whose training loop is built.
    """
    _ = runner.val_loop  # built now, so that its errors are raised before training
    _warn_of_missing_does_save(runner)
    # Hooks first, since EMAHook copies the model: wrapped methods of a copy would be those of the
    # original.
    runner.call_hook("before_run")
    prepare_model(runner)


def run_training(runner: LoopRunner, loop: TrainLoop, nan_loss: NanLossPolicy) -> nn.Module:
    """Train from the present progress to the end, and shut the run down.

    Args:
        runner: The runner.
        loop: Its training loop.
        nan_loss: Policy for losses that are NaN or infinite.

    Returns:
        The model.

    Raises:
        TrainingInterrupted: If a signal or the time limit ended it, after everything is saved.
    """
    compile_model(runner)
    shrink_when_out_of_memory(runner)
    wrapper = runner.optim_wrapper if isinstance(runner.optim_wrapper, BaseOptimWrapper) else None
    if wrapper is not None:
        wrapper.train()  # as after a training before
    try:
        with reported(runner, "training"), saved_when_interrupted(runner):
            model = nan_loss.train(runner, loop)
            runner.call_hook("after_run")
        if wrapper is not None:
            wrapper.eval()
    except (TrainingInterrupted, KeyboardInterrupt):
        if isinstance(loop, TrainLoop):  # an interrupted run does not wait for a sample
            loop.batches.abandon()
        raise
    finally:
        # Workers before the runner goes: the garbage collector would take down their queues first.
        if isinstance(loop, TrainLoop):
            loop.batches.close()
        for each in loops_by_name(runner.val_loop).values():
            end_workers(getattr(each, "dataloader", None))
    log_end(runner)
    return model


def _warn_of_missing_does_save(runner: LoopRunner) -> None:
    """Warn in one line if a run saves nothing, or nothing before its end."""
    hooks = [hook for hook in runner.hooks if isinstance(hook, CheckpointHook)]
    if not any(_does_save(hook, runner) for hook in hooks):
        runner.logger.warning(
            "This run saves no checkpoint, so that it can neither be resumed nor tested: use "
            + ("an interval within its length." if hooks else "a CheckpointHook.")
        )
        return
    for hook in hooks:
        if hook.by_epoch and hook.interval > 0 and not runner.progress.by_epoch:
            runner.logger.warning(
                f"CheckpointHook(interval={hook.interval}) counts epochs, but train_cfg trains by "
                "iterations, all of which are one epoch: nothing is saved before the end. Set "
                "by_epoch=False and an interval in iterations."
            )


def _does_save(hook: CheckpointHook, runner: LoopRunner) -> bool:
    length = runner.max_epochs if hook.by_epoch else runner.max_iters
    if length is None or type(hook) is not CheckpointHook:
        return True  # as far as is known
    is_within = hook.interval > 0 and (hook.save_begin or hook.interval) <= length
    is_within = is_within or hook.save_every_minutes is not None
    return is_within or hook.save_last or bool(hook.save_best and runner.val_loop)
