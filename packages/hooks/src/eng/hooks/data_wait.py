"""Report that training waits for its data."""

from __future__ import annotations

from .protocol import HookRunner

__all__ = ["DataWaitNotice"]

#: Iterations after which the share is measured; those before them start workers and fill caches.
_AFTER, _MEASURED = 60, 50
_SHARE = 0.5
#: Seconds of waiting in an iteration below which nothing is worth a change.
_LEAST = 0.002


class DataWaitNotice:
    """Reports once a training that it mostly waits for data, and what to change."""

    def __init__(self) -> None:
        self._began_at = 0
        self._is_settled = False

    def begin(self, runner: HookRunner) -> None:
        """Watch from the present iteration on."""
        self._began_at = runner.iter
        self._is_settled = False

    def look(self, runner: HookRunner, done: int) -> None:
        """Measure the share of waiting, once enough iterations are done.

        Args:
            runner: The runner.
            done: Iterations done.
        """
        if self._is_settled or done - self._began_at < _AFTER:
            return
        self._is_settled = True
        scalars = runner.message_hub.log_scalars
        if "train/time" not in scalars or "train/data_time" not in scalars:  # without IterTimerHook
            return
        waited = float(scalars["train/data_time"].mean(_MEASURED))
        share = waited / max(float(scalars["train/time"].mean(_MEASURED)), waited, 1e-9)
        if share < _SHARE or waited < _LEAST:
            return
        workers = getattr(runner.train_dataloader, "num_workers", None)
        if workers is None:
            cure = "load it in other processes"
        elif workers == 0:
            cure = "num_workers=0 loads it between the steps; set num_workers in train_dataloader"
        else:
            cure = f"raise num_workers ({workers}) in train_dataloader, or make its samples cheaper"
        runner.logger.info(
            f"{share:.0%} of the time is spent waiting for data ({waited:.3f} s each): {cure}."
        )
