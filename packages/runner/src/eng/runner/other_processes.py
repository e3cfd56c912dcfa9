"""Resume a run on another number of processes, or with another batch size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eng.dist import get_data_info, get_data_world_size, get_world_size
from eng.optim import OptimWrapper

from .errors import RunnerConfigError
from .progress import Progress
from .protocol import LoopRunner
from .random_state import seed_apart

__all__ = ["adapt_to_processes", "count_global_batch", "keep_global_batch"]


def count_global_batch(runner: LoopRunner) -> int | None:
    """Count the samples of all processes that one update of the parameters is computed from.

    Args:
        runner: The runner.

    Returns:
        The number; None for a third-party loop, which does not say it.
    """
    progress = getattr(runner.train_loop, "progress", None)
    if not isinstance(progress, Progress):
        return None
    return progress.samples_per_iter * int(getattr(runner.optim_wrapper, "_accumulative_counts", 1))


def adapt_to_processes(runner: LoopRunner, meta: Mapping[str, Any]) -> None:
    """Seed processes that the saved run did not have, and log what differs in the batch.

    Args:
        runner: The runner, whose state is restored.
        meta: The ``meta`` of the checkpoint.
    """
    texts = []
    before, now = meta.get("world_size"), get_world_size()
    if isinstance(before, int) and before != now:
        texts.append(f"The checkpoint was saved by {before} processes, now there are {now}.")
    # Random numbers belong to samples: processes that take the same ones share them.
    before, (rank, now) = meta.get("data_world_size", before), get_data_info()
    if isinstance(before, int) and now > before:
        if rank >= before:
            seed_apart(runner.seed, meta["iter"], rank)
        texts.append(
            f"Random numbers of {_name_ranks()} {before} to {now - 1} are seeded by the seed, the "
            "iteration and the rank."
        )
    samples, count = meta.get("global_batch"), count_global_batch(runner)
    if isinstance(samples, int) and count not in (None, samples):
        rates = runner.optim_wrapper.get_lr()
        shown = ", ".join(f"{name} {values[0]:g}" for name, values in rates.items() if values)
        texts.append(
            f"An update now takes {count} samples instead of {samples}, at the rates of the "
            f"checkpoint ({shown}): change batch_size or accumulative_counts to keep the batch, or "
            "the learning rate to follow it."
        )
    if texts:
        runner.logger.warning(" ".join(texts))


def _name_ranks() -> str:
    return "ranks" if get_data_world_size() == get_world_size() else "data ranks"


def keep_global_batch(runner: LoopRunner, meta: Mapping[str, Any]) -> None:
    """Accumulate as many iterations as an update of the checkpoint takes samples, if asked for.

    Args:
        runner: The runner, before its state is restored. ``keep_global_batch`` of its config asks
            for it.
        meta: The ``meta`` of the checkpoint.

    Raises:
        RunnerConfigError: If the number of samples cannot be kept.
    """
    samples, count = meta.get("global_batch"), count_global_batch(runner)
    wrapper = runner.optim_wrapper
    if not runner.cfg.get("keep_global_batch") or count is None:
        return
    if samples == count:
        if isinstance(wrapper, OptimWrapper):  # an update begins, wherever the last one began
            wrapper.accumulate(wrapper.accumulative_counts)
        return
    if not isinstance(samples, int) or not isinstance(wrapper, OptimWrapper):
        raise RunnerConfigError(
            "keep_global_batch=True needs a single optimizer and a checkpoint that says the "
            "samples of an update (meta['global_batch']): set accumulative_counts yourself"
        )
    per_iteration = count // wrapper.accumulative_counts
    counts, rest = divmod(samples, per_iteration)
    if rest or not counts:
        raise RunnerConfigError(
            f"keep_global_batch=True cannot keep the {samples} samples of an update: an iteration "
            f"of {get_data_world_size()} processes takes {per_iteration}, which does not divide "
            "them: change batch_size or the number of processes"
        )
    text = (
        f"An update keeps its {samples} samples (keep_global_batch): accumulative_counts is "
        f"{counts} instead of {wrapper.accumulative_counts}."
    )
    if not runner.progress.by_epoch:
        text += " max_iters, intervals and schedules still count iterations, of another size now."
    runner.logger.warning(text)
    wrapper.accumulate(counts)
