"""Schedulers of any setting in the parameter groups of an optimizer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from eng.registry import PARAM_SCHEDULERS
from eng.utils import ArgumentValueError, override

from . import schedules
from .base_scheduler import (
    INF,
    Clock,
    FactorScheduler,
    OptimizerType,
    WarmUpScheduler,
    _ParamScheduler,
    check_positive,
    check_share,
)

__all__ = [
    "INF",
    "ConstantParamScheduler",
    "CosineAnnealingParamScheduler",
    "ExponentialParamScheduler",
    "LinearParamScheduler",
    "MultiStepParamScheduler",
    "OneCycleParamScheduler",
    "PolyParamScheduler",
    "StepParamScheduler",
]


@PARAM_SCHEDULERS.register_module()
class ConstantParamScheduler(WarmUpScheduler):
    """Multiply a parameter by ``factor`` until the step before ``end``, or for one step.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        factor: The factor, in [0, 1]. Defaults to 1/3.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.
        by: The clock, see :class:`_ParamScheduler`. Defaults to None.

    Raises:
        ValueError: If ``factor`` is outside [0, 1].
    """

    def __init__(
        self,
        optimizer: OptimizerType,
        param_name: str,
        factor: float = 1.0 / 3,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
        *,
        by: Clock | None = None,
    ) -> None:
        check_share(self, "factor", factor)
        self.factor = factor
        self.total_iters = end - begin - 1
        self._follows = {"total_iters": 1}
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose, by=by)

    @override
    def _factor(self, step: int) -> float:
        return schedules.constant(step, factor=self.factor, total=self._total)


@PARAM_SCHEDULERS.register_module()
class LinearParamScheduler(WarmUpScheduler):
    """Multiply a parameter by a factor that changes linearly, such as for a warm-up.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        start_factor: Factor at ``begin``, in [0, 1]. Defaults to 1/3.
        end_factor: Factor at the step before ``end``, in [0, 1]. Defaults to 1.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.
        by: The clock, see :class:`_ParamScheduler`. Defaults to None.

    Raises:
        ValueError: If a factor is outside [0, 1].
    """

    def __init__(
        self,
        optimizer: OptimizerType,
        param_name: str,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
        *,
        by: Clock | None = None,
    ) -> None:
        check_share(self, "start_factor", start_factor)
        check_share(self, "end_factor", end_factor)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = end - begin - 1
        self._follows = {"total_iters": 1}
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose, by=by)

    @override
    def _factor(self, step: int) -> float:
        return schedules.linear(
            step, start=self.start_factor, end=self.end_factor, total=self._total
        )


@PARAM_SCHEDULERS.register_module()
class ExponentialParamScheduler(FactorScheduler):
    """Multiply a parameter by ``gamma`` at every step.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        gamma: The factor of each step.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.
        by: The clock, see :class:`_ParamScheduler`. Defaults to None.
    """

    def __init__(
        self,
        optimizer: OptimizerType,
        param_name: str,
        gamma: float,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
        *,
        by: Clock | None = None,
    ) -> None:
        self.gamma = gamma
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose, by=by)

    @override
    def _factor(self, step: int) -> float:
        return schedules.exponential(step, gamma=self.gamma)


@PARAM_SCHEDULERS.register_module()
class CosineAnnealingParamScheduler(FactorScheduler):
    """Anneal a parameter along half a cosine from its value to ``eta_min``.

    The factor is ``(1 + cos(pi * step / T_max)) / 2``, from "SGDR: Stochastic Gradient Descent with
    Warm Restarts" (Loshchilov and Hutter, 2017), without the restarts.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        T_max: Steps from the maximum to the minimum. Defaults to None, ``end - begin``.
        eta_min: The minimum. Defaults to 0.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.
        eta_min_ratio: The minimum as a ratio of the base value of each group, instead of
            ``eta_min``. Defaults to None.
        by: The clock, see :class:`_ParamScheduler`. Defaults to None.

    Raises:
        ValueError: If ``T_max`` is below 1, or both ``eta_min`` and ``eta_min_ratio`` are set;
            the latter is also an :class:`AssertionError`.
    """

    _epoch_settings = ("T_max",)
    _added_settings: ClassVar[Mapping[str, object]] = {"eta_min_ratio": None}

    def __init__(
        self,
        optimizer: OptimizerType,
        param_name: str,
        T_max: int | None = None,  # noqa: N803 - the documented name
        eta_min: float | None = 0.0,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
        eta_min_ratio: float | None = None,
        *,
        by: Clock | None = None,
    ) -> None:
        self.T_max = T_max if T_max is not None else end - begin
        self._follows = {"T_max": 0} if T_max is None else {}
        check_positive(self, "T_max", self.T_max)
        if eta_min_ratio is not None and eta_min:
            raise ArgumentValueError(
                f"{type(self).__name__}: set either eta_min or eta_min_ratio, not both "
                f"(eta_min={eta_min!r}, eta_min_ratio={eta_min_ratio!r})"
            )
        self.eta_min = None if eta_min_ratio is not None else (eta_min or 0.0)
        self.eta_min_ratio = eta_min_ratio
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose, by=by)

    @override
    def _factor(self, step: int) -> float:
        return schedules.cosine(step, period=self.T_max)


@PARAM_SCHEDULERS.register_module()
class PolyParamScheduler(FactorScheduler):
    """Decay a parameter to ``eta_min`` along a polynomial.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        eta_min: Value of the last step, ``end - 1``. Defaults to 0.
        power: Power of the polynomial. Defaults to 1, linear.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.
        by: The clock, see :class:`_ParamScheduler`. Defaults to None.
    """

    def __init__(
        self,
        optimizer: OptimizerType,
        param_name: str,
        eta_min: float = 0,
        power: float = 1.0,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
        *,
        by: Clock | None = None,
    ) -> None:
        self.eta_min = eta_min
        self.power = power
        self.total_iters = end - begin - 1
        self._follows = {"total_iters": 1}
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose, by=by)

    @override
    def _factor(self, step: int) -> float:
        return schedules.polynomial(step, power=self.power, total=self.total_iters)


@PARAM_SCHEDULERS.register_module()
class StepParamScheduler(FactorScheduler):
    """Multiply a parameter by ``gamma`` every ``step_size`` steps.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        step_size: Steps between two changes.
        gamma: The factor. Defaults to 0.1.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.
        by: The clock, see :class:`_ParamScheduler`. Defaults to None.

    Raises:
        ValueError: If ``step_size`` is below 1.
    """

    _epoch_settings = ("step_size",)

    def __init__(
        self,
        optimizer: OptimizerType,
        param_name: str,
        step_size: int,
        gamma: float = 0.1,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
        *,
        by: Clock | None = None,
    ) -> None:
        check_positive(self, "step_size", step_size)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose, by=by)

    @override
    def _factor(self, step: int) -> float:
        return schedules.step_decay(step, step_size=self.step_size, gamma=self.gamma)


@PARAM_SCHEDULERS.register_module()
class MultiStepParamScheduler(FactorScheduler):
    """Multiply a parameter by ``gamma`` at each milestone.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        milestones: Steps at which the parameter changes. A duplicate applies ``gamma`` twice.
        gamma: The factor. Defaults to 0.1.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.
        by: The clock, see :class:`_ParamScheduler`. Defaults to None.
    """

    _epoch_settings = ("milestones",)

    def __init__(
        self,
        optimizer: OptimizerType,
        param_name: str,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_step: int = -1,
        begin: int = 0,
        end: int = INF,
        by_epoch: bool = True,
        verbose: bool = False,
        *,
        by: Clock | None = None,
    ) -> None:
        self.milestones = sorted(milestones)
        self.gamma = gamma
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose, by=by)

    @override
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Resume from a saved state; a counter of milestones, as older engines save, is accepted.

        Args:
            state_dict: The saved state.
        """
        super().load_state_dict(state_dict)
        if isinstance(self.milestones, Mapping):
            self.milestones = sorted(Counter(self.milestones).elements())

    @override
    def _factor(self, step: int) -> float:
        return schedules.multi_step(step, milestones=self.milestones, gamma=self.gamma)


@PARAM_SCHEDULERS.register_module()
class OneCycleParamScheduler(_ParamScheduler):
    """Schedule a parameter by the 1cycle policy. It sets absolute values, so it does not chain.

    From "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates"
    (Smith and Topin, 2018). The value rises to its maximum during the first ``pct_start`` of the
    cycle and decreases afterwards; with three phases it passes its initial value on the way.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        eta_max: The maximum, one for all groups or one per group. Defaults to 0.
        total_steps: Steps of the cycle. Defaults to None, ``end - begin``.
        pct_start: Fraction of the cycle spent increasing. Defaults to 0.3.
        anneal_strategy: ``'cos'`` (default) or ``'linear'``.
        div_factor: ``eta_max / div_factor`` is the first value. Defaults to 25.
        final_div_factor: First value divided by the last value. Defaults to 10⁴.
        three_phase: Whether the decrease passes the first value again. Defaults to False.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.
        by: The clock, see :class:`_ParamScheduler`. Defaults to None.

    Raises:
        ValueError: If the number of steps is unknown or below that from ``begin`` to ``end``,
            ``pct_start`` is outside [0, 1], the strategy unknown, or ``eta_max`` does not have one
            value for each group.
    """

    _epoch_settings = ("total_steps",)

    def __init__(
        self,
        optimizer: OptimizerType,
        param_name: str,
        eta_max: float | Sequence[float] = 0,
        total_steps: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
        *,
        by: Clock | None = None,
    ) -> None:
        if total_steps is None and end >= INF:
            raise ValueError("OneCycle: set either total_steps or end")
        self.total_steps = end - begin if total_steps is None else total_steps
        self._follows = {"total_steps": 0} if total_steps is None else {}
        check_positive(self, "total_steps", self.total_steps)
        check_share(self, "pct_start", pct_start)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy should be one of 'cos' or 'linear', not {anneal_strategy!r}"
            )
        if end < INF and end - begin - 1 > self.total_steps:
            raise ValueError(
                f"{type(self).__name__}: the cycle has {self.total_steps} steps, but the schedule "
                f"continues until step {end - begin - 1}, from begin={begin} to end={end}: "
                f"increase total_steps, or set end={begin + self.total_steps}"
            )
        self.pct_start = pct_start
        self.anneal_strategy = anneal_strategy
        self.three_phase = three_phase
        if last_step == -1:
            groups = optimizer.param_groups
            maxima = _expand_to_groups(optimizer, eta_max)
            for group, value in zip(groups, maxima, strict=True):
                group[f"initial_{param_name}"] = value / div_factor
                group[f"max_{param_name}"] = value
                group[f"min_{param_name}"] = value / div_factor / final_div_factor
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose, by=by)

    @override
    def _get_value(self) -> list[float]:
        # The call after the last iteration has no effect: the value stays the last one.
        if self.last_step > self.total_steps:
            raise ValueError(
                f"step {self.last_step} is past the {self.total_steps} steps of the cycle"
            )
        name = self.param_name
        return [
            schedules.one_cycle(
                min(self.last_step, self.total_steps - 1),
                initial=group[f"initial_{name}"],
                maximum=group[f"max_{name}"],
                minimum=group[f"min_{name}"],
                total=self.total_steps,
                pct_start=self.pct_start,
                anneal=self.anneal_strategy,
                three_phase=self.three_phase,
            )
            for group in self.optimizer.param_groups
        ]


def _expand_to_groups(optimizer: OptimizerType, eta_max: float | Sequence[float]) -> list[float]:
    """Return one maximum for each parameter group and the base settings."""
    groups = optimizer.param_groups
    maxima = list(eta_max) if isinstance(eta_max, Sequence) else [eta_max] * len(groups)
    base = getattr(optimizer, "base_param_settings", None)
    if base is not None and len(maxima) == len(groups) - 1:
        maxima.append(maxima[-1])
    if len(maxima) != len(groups):
        raise ValueError(
            f"eta_max has {len(maxima)} values for {len(groups) - (base is not None)} "
            "parameter groups"
        )
    return maxima
