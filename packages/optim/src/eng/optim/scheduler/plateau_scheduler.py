"""Reduce a parameter when a validation metric has stopped improving."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from eng.registry import PARAM_SCHEDULERS
from eng.utils import ArgumentTypeError, ArgumentValueError, override

from ..types import Arguments
from .base_scheduler import INF, OptimizerType, _ParamScheduler

__all__ = ["ReduceOnPlateauParamScheduler"]

_RULES = ("less", "greater")
_THRESHOLD_RULES = ("rel", "abs")


@PARAM_SCHEDULERS.register_module()
class ReduceOnPlateauParamScheduler(_ParamScheduler):
    """Multiply a parameter by ``factor`` when a metric has stopped improving.

    :meth:`step` without arguments counts; with the metrics of a validation it may reduce. The state
    has the steps at which the parameter was reduced.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        monitor: Name of the metric. Defaults to ``'loss'``.
        rule: Whether ``'less'`` (default) or ``'greater'`` values are better.
        factor: The factor, below 1. Defaults to 0.1.
        patience: Number of validations without improvement before the reduction. Defaults to 10.
        threshold: Minimum change that is an improvement. Defaults to 1e-4.
        threshold_rule: Whether ``threshold`` is relative to the best value, ``'rel'`` (default), or
            absolute, ``'abs'``.
        cooldown: Number of validations after a reduction that do not count as bad. Defaults to 0.
        min_value: The minimum, one for all groups or one per group. Defaults to 0.
        eps: Smaller changes are skipped. Defaults to 1e-8.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        by_epoch: Must be True: steps are epochs.
        verbose: Whether to log each change. Defaults to False.

    Raises:
        TypeError: If ``monitor`` is not a str.
        ValueError: If ``factor`` is not below 1, a rule is unknown, ``threshold`` negative,
            ``by_epoch`` False, or ``min_value`` does not have one value for each group.
    """

    need_val_args = True

    def __init__(
        self,
        optimizer: OptimizerType,
        param_name: str,
        monitor: str = "loss",
        rule: str = "less",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_rule: str = "rel",
        cooldown: int = 0,
        min_value: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
    ) -> None:
        name = type(self).__name__
        if not isinstance(monitor, str):
            raise ArgumentTypeError(
                f"{name}: monitor must be the name of a metric, not {monitor!r}"
            )
        if not by_epoch:
            raise ArgumentValueError(
                f"{name}: by_epoch must be True: metrics come after epochs, not iterations"
            )
        if factor >= 1:
            raise ArgumentValueError(f"{name}: factor must be below 1.0, not {factor}")
        _check_choice(name, "rule", rule, _RULES)
        _check_choice(name, "threshold_rule", threshold_rule, _THRESHOLD_RULES)
        if threshold < 0:
            raise ArgumentValueError(f"{name}: threshold must be at least 0, not {threshold}")
        self.monitor = monitor
        self.rule = rule
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_rule = threshold_rule
        self.cooldown = cooldown
        self.eps = eps
        self.min_values = self._expand_to_groups(optimizer, min_value)
        self.rule_worse = math.inf if rule == "less" else -math.inf
        self.best = self.rule_worse
        self.num_bad_epochs = self.cooldown_counter = 0
        #: Steps at which the parameter was reduced.
        self.reduced_at: list[int] = []
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose)

    @override
    def settings(self) -> Arguments:
        return {**super().settings(), "min_values": self.min_values}

    @override
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Resume from a saved state, also of older versions.

        Args:
            state_dict: The saved state.
        """
        super().load_state_dict(state_dict)
        if "reduced_at" not in state_dict:
            self.reduced_at = []

    @override
    def step(self, metrics: Mapping[str, Any] | None = None) -> None:
        """Count one step, or evaluate the metrics of a validation.

        Args:
            metrics: The metrics by name. Defaults to None: one step is counted.

        Raises:
            TypeError: If they are not a dict, or the metric is not one number.
            KeyError: If the metric is missing.
        """
        if metrics is None:
            super().step()
            return
        if not isinstance(metrics, Mapping):
            raise ArgumentTypeError(
                f"{type(self).__name__}: metrics must be a dict, not {type(metrics).__name__}"
            )
        if not self._acts_at(self._global_step):
            return
        if self.monitor not in metrics:
            raise KeyError(
                f"{type(self).__name__}: unknown metric {self.monitor!r}, available: "
                f"{sorted(map(str, metrics))}; set monitor to one of them"
            )
        if self._count_validation(_to_number(self.monitor, metrics[self.monitor])):
            self._reduce()
        self._last_value = [group[self.param_name] for group in self.optimizer.param_groups]

    @override
    def _advance_step(self) -> None:
        super()._advance_step()
        # Replayed steps repeat the reductions that were made at them.
        for _ in range(self.reduced_at.count(self._global_step)):
            self._set_reduced()
            self._last_value = [group[self.param_name] for group in self.optimizer.param_groups]

    @override
    def _get_value(self) -> list[float]:
        return [group[self.param_name] for group in self.optimizer.param_groups]

    def _count_validation(self, value: float) -> bool:
        """Count a value of the metric; return whether to reduce the parameter."""
        if self._is_better(value):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs <= self.patience:
            return False
        self.cooldown_counter = self.cooldown
        self.num_bad_epochs = 0
        return True

    def _is_better(self, value: float) -> bool:
        if self.best == self.rule_worse:  # the first value: a ratio of infinity would be NaN
            return not math.isnan(value) and value != self.rule_worse
        sign = -1 if self.rule == "less" else 1
        if self.threshold_rule == "rel":
            limit = self.best * (1 + sign * self.threshold)
        else:
            limit = self.best + sign * self.threshold
        return value < limit if self.rule == "less" else value > limit

    def _reduce(self) -> None:
        self.reduced_at.append(self._global_step)
        self._set_reduced()

    def _set_reduced(self) -> None:
        groups = self.optimizer.param_groups
        for index, (group, least) in enumerate(zip(groups, self.min_values, strict=True)):
            old = group[self.param_name]
            new = max(old * self.factor, least)
            if abs(old - new) > self.eps:
                group[self.param_name] = new
                self.print_value(self.verbose, index, new)

    def _expand_to_groups(
        self, optimizer: OptimizerType, min_value: float | Sequence[float]
    ) -> list[float]:
        groups = optimizer.param_groups
        if not isinstance(min_value, (list, tuple)):
            return [float(min_value)] * len(groups)  # type: ignore[arg-type]
        has_base = getattr(optimizer, "base_param_settings", None) is not None
        wanted = len(groups) - has_base
        if len(min_value) != wanted:
            raise ArgumentValueError(
                f"{type(self).__name__}: min_value has {len(min_value)} values for {wanted} "
                "parameter groups"
            )
        return [*min_value, *([min_value[-1]] if has_base else [])]


def _check_choice(owner: str, setting: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ArgumentValueError(f"{owner}: {setting} must be one of {known}, not {value!r}")


def _to_number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(
            f"metric {name!r} must be one number to schedule by, not {value!r:.80}"
        ) from error
