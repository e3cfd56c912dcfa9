"""How long iterations take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from typing_extensions import override

from eng.registry import HOOKS

from .hook import DataBatch, Hook
from .protocol import HookRunner

__all__ = ["IterTimerHook"]


@HOOKS.register_module()
class IterTimerHook(Hook):
    """Records ``data_time``, waiting for a batch, and ``time`` of each iteration, in seconds.

    It also estimates how long the loop will go on, as ``eta`` in the message hub.
    """

    priority = "NORMAL"

    def __init__(self) -> None:
        self._last = 0.0
        self._total = 0.0
        self._count = 0
        self._train_total = 0.0
        self._train_start = 0

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Begin to count from the iteration at which training starts or goes on."""
        self._train_start = runner.iter
        self._train_total = 0.0

    @override
    def _before_epoch(self, runner: HookRunner, mode: str = "train") -> None:
        self._last = time.perf_counter()
        self._total = 0.0
        self._count = 0

    @override
    def _before_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        mode: str = "train",
    ) -> None:
        waited = time.perf_counter() - self._last
        runner.message_hub.update_scalar(f"{mode}/data_time", waited)

    @override
    def _after_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: Sequence[Any] | dict[str, Any] | None = None,
        mode: str = "train",
    ) -> None:
        now = time.perf_counter()
        took, self._last = now - self._last, now
        runner.message_hub.update_scalar(f"{mode}/time", took)
        runner.message_hub.update_info(
            "eta", self._eta(runner, batch_idx, took, mode), resumed=False
        )

    def _eta(self, runner: HookRunner, batch_idx: int, took: float, mode: str) -> float:
        """Seconds that the loop will go on if iterations take as long as so far."""
        if mode == "train":
            self._train_total += took
            done = runner.iter + 1
            mean = self._train_total / (done - self._train_start)
            return mean * ((runner.max_iters or done) - done)
        self._total += took
        self._count += 1
        loader = runner.val_dataloader if mode == "val" else runner.test_dataloader
        return self._total / self._count * (len(loader) - batch_idx - 1)
