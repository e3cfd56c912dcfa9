"""Measure how long iterations take."""

from __future__ import annotations

import time

from eng.dataset import length_of
from eng.registry import HOOKS
from eng.utils import override

from .hook import DataBatch, Hook
from .protocol import HookRunner
from .scalar_keys import DATA_TIME, TIME
from .types import StepOutputs

__all__ = ["IterTimerHook"]


@HOOKS.register_module()
class IterTimerHook(Hook):
    """Records ``data_time``, waiting for a batch, and ``time`` of each iteration, in seconds.

    It also estimates the remaining time of the loop, as ``eta`` in the message hub.

    Attributes:
        time_sec_tot: Seconds of all iterations of training since it started or was resumed.
        time_sec_test_val: Seconds of the iterations of the present validation or test.
        start_iter: Iteration at which training started or was resumed.
    """

    priority = "NORMAL"

    def __init__(self) -> None:
        self._last = 0.0
        self.time_sec_test_val = 0.0
        self._count = 0
        self._length = 0
        self._max_iters: int | None = None
        self.time_sec_tot = 0.0
        self.start_iter = 0

    @property
    def t(self) -> float:
        """Time at which the last iteration ended, in seconds of ``time.time()``.

        Third-party hooks that derive from this one measure from it, and set it.
        """
        return time.time() - time.perf_counter() + self._last

    @t.setter
    def t(self, value: float) -> None:
        self._last = value - time.time() + time.perf_counter()

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Count from the iteration at which training starts or resumes."""
        self.start_iter = runner.iter
        self.time_sec_tot = 0.0

    @override
    def _before_epoch(self, runner: HookRunner, mode: str = "train") -> None:
        self._last = time.perf_counter()
        self.time_sec_test_val = 0.0
        self._count = 0
        if mode == "train":
            self._max_iters = runner.max_iters

    @override
    def _before_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        mode: str = "train",
    ) -> None:
        waited = time.perf_counter() - self._last
        runner.message_hub.update_scalar(DATA_TIME[mode], waited)

    @override
    def _after_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
        mode: str = "train",
    ) -> None:
        now = time.perf_counter()
        took, self._last = now - self._last, now
        if mode == "train":
            self.time_sec_tot = total = self.time_sec_tot + took
            done = runner.iter + 1
            eta = total / (done - self.start_iter) * ((self._max_iters or done) - done)
        else:
            eta = self._estimate_eta(runner, batch_idx, took, mode)
        hub = runner.message_hub
        hub.update_scalar(TIME[mode], took)
        hub.update_info("eta", eta, resumed=False)

    def _estimate_eta(self, runner: HookRunner, batch_idx: int, took: float, mode: str) -> float:
        """Estimate the remaining seconds of an evaluation from the mean time of an iteration."""
        if self._count == 0:
            # Once an evaluation: a length goes through loader, samplers and dataset.
            loader = runner.val_dataloader if mode == "val" else runner.test_dataloader
            self._length = length_of(loader) or 0
        self.time_sec_test_val += took
        self._count += 1
        return self.time_sec_test_val / self._count * max(0, self._length - batch_idx - 1)
