"""Step the parameter schedulers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eng.registry import HOOKS
from eng.utils import override

from .errors import HookTypeError
from .hook import DataBatch, Hook
from .metric_names import check_metric_names
from .protocol import HookRunner
from .types import StepOutputs

__all__ = ["ParamSchedulerHook"]


@HOOKS.register_module()
class ParamSchedulerHook(Hook):
    """Steps schedulers that count epochs after each epoch, and the others after each iteration.

    One that counts updates (``by='step'``) does nothing after an iteration without one. One that
    depends on metrics, as :class:`eng.optim.ReduceOnPlateauLR` does, steps with those of each
    validation in training.
    """

    priority = "LOW"
    # On the class, for subclasses whose __init__ does not call one of this class.
    _is_over = False

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Refuse a monitored metric that the evaluator does not have."""
        self._is_over = False
        for scheduler in _list_schedulers(runner):
            if getattr(scheduler, "need_val_args", False):
                monitor = getattr(scheduler, "monitor", "auto")
                kind = type(scheduler).__name__
                check_metric_names([monitor], runner, f"{kind}(monitor={monitor!r})")
                if getattr(runner, "val_loop", None) is None:
                    runner.logger.warning(
                        f"{kind} depends on metrics of validation, and this run does not validate."
                    )

    @override
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Step the schedulers that count iterations."""
        if runner.param_schedulers is None:
            return
        for scheduler in _list_schedulers(runner):
            if not scheduler.by_epoch:
                scheduler.step()

    @override
    def after_train_epoch(self, runner: HookRunner) -> None:
        """Step the schedulers that count epochs."""
        for scheduler in _list_schedulers(runner):
            if scheduler.by_epoch:
                scheduler.step()

    @override
    def after_val_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Step the schedulers that depend on metrics."""
        if metrics is None or self._is_over or _is_config(runner.param_schedulers):
            return
        for scheduler in _list_schedulers(runner):
            if getattr(scheduler, "need_val_args", False) and scheduler.by_epoch:
                scheduler.step(metrics)

    @override
    def after_train(self, runner: HookRunner) -> None:
        """Ignore validations after training."""
        self._is_over = True

    def after_interrupted_train(self, runner: HookRunner) -> None:
        """See :meth:`after_train`."""
        self._is_over = True


def _is_config(schedulers: object) -> bool:
    """Whether schedulers are not built, as in a run that only validates."""
    return isinstance(schedulers, Mapping) and (
        "type" in schedulers or any(isinstance(each, Mapping) for each in schedulers.values())
    )


def _list_schedulers(runner: HookRunner) -> list[Any]:
    """List the schedulers of a run: of a list, or of a dict of such lists by optimizer."""
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
