"""Save a run that was interrupted, and say how to resume it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from eng.checkpoint import FolderSaver, is_sharded, write_last_checkpoint
from eng.dist import is_main_process
from eng.fileio import join_path
from eng.hooks import CheckpointHook

from .protocol import LoopRunner
from .requeue import requeue_job
from .signals import TIME_LIMIT, BrokenOff, is_interactive, name_of

__all__ = ["TrainingInterrupted", "saved_when_interrupted"]


class TrainingInterrupted(SystemExit):
    """Training was interrupted, with its progress saved in a checkpoint.

    If it is not caught, the program ends with its exit status.

    Attributes:
        status: The exit status: 128 and the number of the signal, 0 for the time limit.
        cause: Name of the signal, or ``'time limit'``.
        checkpoint: The newest checkpoint of the run, or None.
    """

    def __init__(self, message: str, status: int, cause: str, checkpoint: str | None) -> None:
        super().__init__(message)
        self.code = self.status = status
        self.cause = cause
        self.checkpoint = checkpoint


class _KeyboardInterrupted(TrainingInterrupted, KeyboardInterrupt):
    """The same by Ctrl-C, for programs that catch that."""


@contextmanager
def saved_when_interrupted(runner: LoopRunner) -> Iterator[None]:
    """Save the run when training within the block is interrupted.

    Args:
        runner: The runner, which trains within the block.

    Yields:
        Nothing.

    Raises:
        TrainingInterrupted: If it was interrupted, after everything is saved. In an interactive
            session it is a plain :class:`KeyboardInterrupt` after Ctrl-C.
    """
    first = runner.iter
    try:
        with runner.interruption.watching():
            try:
                yield
            except BrokenOff:
                _save(runner, has_trained=runner.iter > first)
                raise
        return
    except BrokenOff as broken:
        outcome = _report(runner, broken.cause)
    raise outcome from None


def _save(runner: LoopRunner, has_trained: bool) -> None:
    """Save the progress, with the same steps as at the end of a run."""
    # Before the hooks, of which CheckpointHook closes its writer.
    if has_trained:  # otherwise its progress is that of the resumed checkpoint
        _save_checkpoint(runner)
    runner.call_hook("after_interrupted_train")
    runner.call_hook("after_run")


def _save_checkpoint(runner: LoopRunner) -> None:
    """Save by the checkpoint hook, if one saves everything that a resume needs."""
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.save_optimizer and hook.save_param_scheduler:
            hook.save_now(runner)
            return
    preferred = getattr(runner, "checkpoint_format", None)  # of a strategy
    is_folder = is_sharded(runner.model) if preferred is None else preferred == "folder"
    name = f"iter_{runner.iter}" if is_folder else f"iter_{runner.iter}.pth"
    meta = {"epoch": runner.epoch, "iter": runner.iter}
    path = join_path(runner.work_dir, name)
    runner.message_hub.update_info("last_ckpt", path)
    writer = FolderSaver() if is_folder else None
    runner.save_checkpoint(runner.work_dir, name, meta=meta, by_epoch=False, writer=writer)
    if is_main_process():
        write_last_checkpoint(runner.work_dir, path)


def _report(runner: LoopRunner, cause: int) -> BaseException:
    """Report how to resume, and make the exception that ends training."""
    name = "time limit" if cause == TIME_LIMIT else name_of(cause)
    path = runner.message_hub.runtime_info.get("last_ckpt")
    where = f"the newest checkpoint is {path}" if path else "no checkpoint has been saved yet"
    message = (
        f"{name}: training was ended after {runner.iter} iterations; {where}. To resume: "
        f"resume=True, or eng train CONFIG --work-dir {runner.work_dir} --resume"
    )
    runner.logger.warning(message)
    if is_main_process() and cause in runner.interruption.causes_of_requeue:
        requeue_job(runner.logger)
    status = 0 if cause == TIME_LIMIT else 128 + cause
    if name != "SIGINT":
        return TrainingInterrupted(message, status, name, path)
    if is_interactive():
        return KeyboardInterrupt(message)
    return _KeyboardInterrupted(message, status, name, path)
