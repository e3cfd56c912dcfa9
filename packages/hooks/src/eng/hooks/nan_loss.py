"""Notice losses that are NaN or infinite among those that are read for the log anyway."""

from __future__ import annotations

import logging
import math

import numpy as np

from eng.dist import get_rank

from .protocol import HookRunner

__all__ = ["NanLossNotice"]


class NanLossNotice:
    """Warns once a run. Nothing is brought from the device for it."""

    def __init__(self) -> None:
        self._looked_at = 0
        self._is_told = False

    def begin(self, runner: HookRunner) -> None:
        """Look from the present iteration on."""
        self._looked_at = runner.iter

    def look(self, runner: HookRunner, done: int) -> None:
        """Look at the losses of the iterations since the last time.

        Args:
            runner: The runner.
            done: Iterations done.
        """
        window, self._looked_at = done - self._looked_at, done
        if self._is_told or window < 1:
            return
        for name, history in runner.message_hub.log_scalars.items():
            if "loss" not in name or not name.startswith("train/"):
                continue
            # The mean is finite where all of them are.
            if not len(history) or math.isfinite(history.mean(window)):
                continue
            values = history.data[0][-window:]
            bad = np.flatnonzero(~np.isfinite(values))
            if len(bad):
                first = int(bad[0])
                iteration = done - len(values) + first + 1
                self._tell(runner, name, float(values[first]), iteration)
                return

    def _tell(self, runner: HookRunner, name: str, value: float, iteration: int) -> None:
        self._is_told = True
        rank = get_rank()
        level = logging.WARNING if rank == 0 else logging.ERROR  # which alone others print
        runner.logger.log(
            level,
            f"{name.removeprefix('train/')} is {value} at iteration {iteration} on rank {rank}. "
            "To act on it: nan_loss='stop', 'skip' or 'rollback' in the config. Further ones are "
            "not reported.",
        )
