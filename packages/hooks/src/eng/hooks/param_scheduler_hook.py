"""Stepping of the parameter schedulers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eng.registry import HOOKS
from eng.utils import override

from .errors import HookTypeError
from .hook import DataBatch, Hook
from .metric_names import check_metric_names
from .protocol import HookRunner

__all__ = ["ParamSchedulerHook"]


@HOOKS.register_module()
class ParamSchedulerHook(Hook):
    """Steps schedulers that count epochs after each epoch, and the others after each iteration.

    One that counts updates (``by='step'``) does nothing after an iteration without one. One that
    depends on metrics, as :class:`eng.optim.ReduceOnPlateauLR` does, gets those of each validation
    in training.
    """

    priority = "LOW"

    def __init__(self) -> None:
        self._is_over = False

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Refuse a metric to schedule by that the evaluator is known not to give."""
        self._is_over = False
        for scheduler in _schedulers_of(runner):
            if getattr(scheduler, "need_val_args", False):
                monitor = getattr(scheduler, "monitor", "auto")
                kind = type(scheduler).__name__
                check_metric_names([monitor], runner, f"{kind}(monitor={monitor!r})")
                if getattr(runner, "val_loop", None) is None:
                    runner.logger.warning(
                        f"{kind} depends on metrics of validation, of which this run has none."
                    )

    @override
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Step the schedulers that count iterations."""
        if runner.param_schedulers is None:
            return
        for scheduler in _schedulers_of(runner):
            if not scheduler.by_epoch:
                scheduler.step()

    @override
    def after_train_epoch(self, runner: HookRunner) -> None:
        """Step the schedulers that count epochs."""
        for scheduler in _schedulers_of(runner):
            if scheduler.by_epoch:
                scheduler.step()

    @override
    def after_val_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Give the metrics to the schedulers that depend on them."""
        if metrics is None or self._is_over or _is_config(runner.param_schedulers):
            return
        for scheduler in _schedulers_of(runner):
            if getattr(scheduler, "need_val_args", False) and scheduler.by_epoch:
                scheduler.step(metrics)

    @override
    def after_train(self, runner: HookRunner) -> None:
        """A validation after training changes no schedule."""
        self._is_over = True

    def after_interrupted_train(self, runner: HookRunner) -> None:
        """See :meth:`after_train`."""
        self._is_over = True


def _is_config(schedulers: Any) -> bool:
    """Whether schedulers were not built, as where a run only validates."""
    return isinstance(schedulers, Mapping) and (
        "type" in schedulers or any(isinstance(each, Mapping) for each in schedulers.values())
    )


def _schedulers_of(runner: HookRunner) -> list[Any]:
    """The schedulers of a run: of a list, or of a dict of such lists, one for each optimizer."""
    schedulers = runner.param_schedulers
    if type(schedulers) is list:  # as nearly always, in each iteration
        return schedulers
    groups = schedulers.values() if isinstance(schedulers, dict) else [schedulers or []]
    found: list[Any] = []
    for group in groups:
        if not isinstance(group, (list, tuple)):
            raise HookTypeError(
                "runner.param_schedulers must be a list of schedulers, or a dict of such lists, "
                f"not {type(schedulers).__name__}"
            )
        found += group
    return found
