"""Stepping of the parameter schedulers."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from eng.registry import HOOKS

from .errors import HookTypeError
from .hook import DataBatch, Hook
from .protocol import HookRunner

__all__ = ["ParamSchedulerHook"]


@HOOKS.register_module()
class ParamSchedulerHook(Hook):
    """Steps schedulers that count epochs after each epoch, and the others after each iteration.

    One that counts updates (``by='step'``) does nothing after an iteration without one.
    """

    priority = "LOW"

    @override
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Step the schedulers that count iterations."""
        _step(runner.param_schedulers, by_epoch=False)

    @override
    def after_train_epoch(self, runner: HookRunner) -> None:
        """Step the schedulers that count epochs."""
        _step(runner.param_schedulers, by_epoch=True)


def _step(schedulers: Any, *, by_epoch: bool) -> None:
    """Step a list of schedulers, or a dict of such lists, one for each optimizer."""
    groups = schedulers.values() if isinstance(schedulers, dict) else [schedulers or []]
    for group in groups:
        if not isinstance(group, (list, tuple)):
            raise HookTypeError(
                "runner.param_schedulers must be a list of schedulers, or a dict of such lists, "
                f"not {type(schedulers).__name__}"
            )
        for scheduler in group:
            if scheduler.by_epoch is by_epoch:
                scheduler.step()
