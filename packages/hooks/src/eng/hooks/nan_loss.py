"""Report losses that are NaN or infinite when losses are read for the log."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

import numpy as np

from eng.dist import get_rank

from .protocol import HookRunner

__all__ = ["NanLossNotice"]


class NanLossNotice:
    """Warns once a run, without a transfer from the device."""

    def __init__(self) -> None:
        self._checked_at = 0
        self._is_reported = False

    def begin(self, runner: HookRunner) -> None:
        """Watch from the present iteration on."""
        self._checked_at = runner.iter
        self._is_reported = self._is_reported or _is_handled(runner.cfg.get("nan_loss"))

    def look(self, runner: HookRunner, done: int) -> None:
        """Check the losses since the last call.

        Args:
            runner: The runner.
            done: Iterations done.
        """
        window, self._checked_at = done - self._checked_at, done
        if self._is_reported or window < 1:
            return
        for name, history in runner.message_hub.log_scalars.items():
            if "loss" not in name or not name.startswith("train/"):
                continue
            try:  # the mean is finite where all of them are
                if math.isfinite(history.mean(window)):
                    continue
            except ValueError:  # of a history without entries
                continue
            values = history.data[0][-window:]
            bad = np.flatnonzero(~np.isfinite(values))
            if len(bad):
                first = int(bad[0])
                iteration = done - len(values) + first + 1
                self._report(runner, name, float(values[first]), iteration)
                return

    def _report(self, runner: HookRunner, name: str, value: float, iteration: int) -> None:
        self._is_reported = True
        rank = get_rank()
        level = logging.WARNING if rank == 0 else logging.ERROR  # which alone others print
        runner.logger.log(
            level,
            f"{name.removeprefix('train/')} is {value} at iteration {iteration} on rank {rank}. "
            f"Its samples: eng batch {runner.work_dir} {iteration}. To act on it: nan_loss='stop', "
            "'skip' or 'rollback' in the config. Further ones are not reported.",
        )


def _is_handled(setting: object) -> bool:
    """Whether each loss is looked at and reported as ``nan_loss`` of the config says."""
    if isinstance(setting, Mapping):
        return setting.get("action", "warn") != "warn" or bool(setting.get("spike"))
    return setting not in (None, "warn")
