"""Cosine annealing with restarts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from eng.registry import PARAM_SCHEDULERS
from eng.utils import ArgumentTypeError, ArgumentValueError, override

from . import schedules
from .base_scheduler import INF, Clock, OptimizerType, _ParamScheduler

__all__ = ["CosineRestartParamScheduler"]


@PARAM_SCHEDULERS.register_module()
class CosineRestartParamScheduler(_ParamScheduler):
    """Anneal a parameter along half a cosine in each of several periods.

    From "SGDR: Stochastic Gradient Descent with Warm Restarts" (Loshchilov and Hutter, 2017). It
    sets absolute values, so it does not chain. After the last period the value is constant.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        periods: Steps of each period.
        restart_weights: Factor of the base value at the start of each period. Defaults to
            ``(1,)``, for one period.
        eta_min: The minimum. Either this or ``eta_min_ratio`` is required. Defaults to None.
        eta_min_ratio: The minimum as a ratio of the base value of each group. Defaults to None.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.
        by: The clock, see :class:`_ParamScheduler`. Defaults to None.

    Raises:
        TypeError: If ``periods`` is not a list of integers.
        ValueError: If a period is below 1, the numbers of weights and periods differ, or not
            exactly one of ``eta_min`` and ``eta_min_ratio`` is set. All errors are also an
            :class:`AssertionError`.
    """

    _epoch_settings = ("periods",)

    def __init__(
        self,
        optimizer: OptimizerType,
        param_name: str,
        periods: Sequence[int],
        restart_weights: Sequence[float] = (1,),
        eta_min: float | None = None,
        eta_min_ratio: float | None = None,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
        *,
        by: Clock | None = None,
    ) -> None:
        name = type(self).__name__
        _check_periods(name, periods)
        if len(periods) != len(restart_weights):
            raise ArgumentValueError(
                f"{name}: restart_weights must have one value for each of the {len(periods)} "
                f"periods, not {list(restart_weights)!r}"
            )
        if (eta_min is None) == (eta_min_ratio is None):
            raise ArgumentValueError(
                f"{name}: set exactly one of eta_min and eta_min_ratio, not eta_min={eta_min!r} "
                f"and eta_min_ratio={eta_min_ratio!r}"
            )
        self.periods = [int(period) for period in periods]
        self.restart_weights = list(restart_weights)
        self.eta_min = eta_min
        self.eta_min_ratio = eta_min_ratio
        self.cumulative_periods = list(accumulate(self.periods))
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose, by=by)

    @staticmethod
    def get_position_from_periods(iteration: int, cumulative_periods: Sequence[int]) -> int | None:
        """Find the period of a step.

        Args:
            iteration: The step, from 0.
            cumulative_periods: The ends of the periods, ascending.

        Returns:
            Index of the period, None after the last one.

        Examples:
            >>> [CosineRestartParamScheduler.get_position_from_periods(step, [100, 200])
            ...  for step in (50, 100, 200)]
            [0, 1, None]
        """
        index = bisect_right(cumulative_periods, iteration)
        return index if index < len(cumulative_periods) else None

    @override
    def _get_value(self) -> list[float]:
        index = self.get_position_from_periods(self.last_step, self.cumulative_periods)
        if index is None:
            return [group[self.param_name] for group in self.optimizer.param_groups]
        start = self.cumulative_periods[index] - self.periods[index]
        factor = schedules.cosine(self.last_step - start, period=self.periods[index])
        values = []
        for base in self.base_values:
            floor = base * self.eta_min_ratio if self.eta_min_ratio is not None else self.eta_min
            assert floor is not None
            values.append(floor + (base * self.restart_weights[index] - floor) * factor)
        return values


def _check_periods(name: str, periods: Sequence[int]) -> None:
    if not isinstance(periods, (list, tuple)) or not all(
        isinstance(period, (int, float)) and period == int(period) for period in periods
    ):
        raise ArgumentTypeError(f"{name}: periods must be a list of integers, not {periods!r}")
    if not periods or min(periods) < 1:
        raise ArgumentValueError(
            f"{name}: periods must have at least one period, each of at least 1 step, "
            f"not {list(periods)!r}"
        )
