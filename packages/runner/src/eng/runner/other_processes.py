"""Resume a run on another number of processes, or with another batch size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eng.dist import get_rank, get_world_size

from .progress import Progress
from .protocol import LoopRunner
from .random_state import seed_apart

__all__ = ["adapt_to_processes", "count_global_batch"]


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
    before, now, rank = meta.get("world_size"), get_world_size(), get_rank()
    texts = []
    if isinstance(before, int) and before != now:
        texts.append(f"The checkpoint was saved by {before} processes, now there are {now}.")
        if rank >= before:
            seed_apart(runner.seed, meta["iter"], rank)
        if now > before:
            texts.append(
                f"Random numbers of ranks {before} to {now - 1} are seeded by the seed, the "
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
