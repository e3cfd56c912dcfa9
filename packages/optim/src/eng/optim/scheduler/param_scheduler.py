"""Schedulers of any parameter that stands in an optimizer's parameter groups."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from torch.optim import Optimizer

from eng.logging import print_log
from eng.optim.optimizer.optimizer_wrapper import OptimWrapper
from eng.optim.scheduler import schedules
from eng.registry import PARAM_SCHEDULERS

__all__ = [
    "ConstantParamScheduler",
    "CosineAnnealingParamScheduler",
    "ExponentialParamScheduler",
    "LinearParamScheduler",
    "MultiStepParamScheduler",
    "OneCycleParamScheduler",
    "PolyParamScheduler",
    "StepParamScheduler",
    "_ParamScheduler",
]

INF = int(1e9)
OptimizerType: TypeAlias = Optimizer | OptimWrapper


class _ParamScheduler:
    """Base class of all schedulers.

    A scheduler counts its own calls of :meth:`step`; it acts on the calls in ``[begin, end)``.
    Subclasses say in ``_get_value`` what the parameter becomes at ``self.last_step``, which counts
    from 0 at ``begin``. The first value is set by the constructor.

    Several schedulers may act on one parameter, one after the other or at the same time: each
    changes the value that it finds.

    Args:
        optimizer: The optimizer, or its wrapper, whose groups are changed.
        param_name: Key of the parameter in the groups, such as ``'lr'``.
        begin: Call of :meth:`step` at which the schedule begins. Defaults to 0.
        end: Call before which it ends. Defaults to 10⁹, that is never.
        last_step: Step that was the last one done, for going on without a saved state.
            Defaults to -1, a fresh start.
        by_epoch: Whether whoever drives the schedulers calls this one after each epoch (the
            default) or after each iteration. ``begin`` and ``end`` count the same thing.
        verbose: Whether each change is logged. Defaults to False.

    Raises:
        TypeError: If ``optimizer`` is neither an optimizer nor a wrapper.
        ValueError: If ``begin`` or ``end`` is negative, or ``begin`` not below ``end``.
        KeyError: If a group lacks ``param_name``, or, with ``last_step`` given, its initial value.
    """

    def __init__(
        self,
        optimizer: OptimizerType,
        param_name: str,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
    ) -> None:
        if not isinstance(optimizer, (Optimizer, OptimWrapper)):
            raise TypeError(
                f"{type(self).__name__} needs an Optimizer or an OptimWrapper, "
                f"not {type(optimizer).__name__}"
            )
        if begin < 0 or end < 0:
            raise ValueError(
                f"{type(self).__name__}: begin and end must be at least 0, got {begin} and {end}"
            )
        if begin >= end:
            raise ValueError(
                f"{type(self).__name__}: begin must be below end, got begin={begin}, end={end}"
            )
        self.optimizer = optimizer
        self.param_name = param_name
        self.begin = begin
        self.end = end
        self.by_epoch = by_epoch
        self.verbose = verbose
        self.base_values = _initial_values(optimizer, param_name, fresh=last_step == -1)
        self.last_step = last_step
        self._global_step = -1
        self._last_value: list[float] = []
        self.step()

    def state_dict(self) -> dict[str, Any]:
        """Everything that a new scheduler of the same settings needs to go on, as plain data."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state that :meth:`state_dict` gave.

        Args:
            state_dict: The saved state.
        """
        self.__dict__.update(state_dict)

    def get_last_value(self) -> list[float]:
        """The value of every parameter group after the last :meth:`step`."""
        return self._last_value

    def print_value(self, is_verbose: bool, group: int, value: float) -> None:
        """Log a value that was set.

        Args:
            is_verbose: Whether to log it at all.
            group: Index of the parameter group.
            value: The new value.
        """
        if is_verbose:
            print_log(
                f"{type(self).__name__}: {self.param_name} of group {group} set to {value:.4e}",
                logger="current",
            )

    def step(self) -> None:
        """Count one step and, inside ``[begin, end)``, set the parameter of every group."""
        self._global_step += 1
        groups = self.optimizer.param_groups
        if self.begin <= self._global_step < self.end:
            self.last_step += 1
            for index, (group, value) in enumerate(zip(groups, self._get_value(), strict=True)):
                group[self.param_name] = value
                if self.verbose:
                    self.print_value(self.verbose, index, value)
        self._last_value = [group[self.param_name] for group in groups]

    @abstractmethod
    def _get_value(self) -> list[float]:
        """The value of each group at ``self.last_step``."""
        raise NotImplementedError(f"{type(self).__name__} must implement _get_value")

    @classmethod
    def build_iter_from_epoch(
        cls,
        *args: Any,
        begin: int = 0,
        end: int = INF,
        by_epoch: bool = True,
        epoch_length: int | None = None,
        **kwargs: Any,
    ) -> _ParamScheduler:
        """Build the scheduler that does per iteration what these settings say per epoch.

        Args:
            *args: Positional arguments of the constructor.
            begin: First epoch.
            end: Epoch before which the schedule ends.
            by_epoch: Must be True: the settings are in epochs.
            epoch_length: Number of iterations of an epoch.
            **kwargs: Further arguments of the constructor. Those in epochs are converted.

        Returns:
            A scheduler with ``by_epoch=False``.

        Raises:
            ValueError: If ``by_epoch`` is False or ``epoch_length`` is missing or below 1.
        """
        if not by_epoch:
            raise ValueError(
                f"{cls.__name__}: convert_to_iter_based needs settings in epochs, by_epoch=True"
            )
        if epoch_length is None or epoch_length < 1:
            raise ValueError(
                f"{cls.__name__}: epoch_length must be the number of iterations of an epoch, "
                f"at least 1, got {epoch_length}"
            )
        end = end if end >= INF else int(end * epoch_length)
        for key in cls._epoch_settings:
            if kwargs.get(key) is not None:
                kwargs[key] = _times(kwargs[key], epoch_length)
        kwargs.update(begin=int(begin * epoch_length), end=end, by_epoch=False)
        return cls(*args, **kwargs)

    #: Names of the settings that count epochs, for :meth:`build_iter_from_epoch`.
    _epoch_settings: tuple[str, ...] = ()


def _initial_values(optimizer: OptimizerType, param_name: str, *, fresh: bool) -> list[float]:
    """The values from which schedules start, kept in the groups as ``initial_<name>``."""
    key = f"initial_{param_name}"
    values = []
    for index, group in enumerate(optimizer.param_groups):
        if fresh and param_name in group:
            group.setdefault(key, group[param_name])
        if key not in group:
            missing = param_name if fresh else key
            raise KeyError(
                f"parameter group {index} of the optimizer has no {missing!r} to schedule; "
                f"it has {sorted(k for k in group if k != 'params')}"
            )
        values.append(group[key])
    return values


def _times(setting: Any, factor: int) -> Any:
    if isinstance(setting, Iterable):
        return [int(item * factor) for item in setting]
    return int(setting * factor)


class _FactorScheduler(_ParamScheduler):
    """A schedule that is a factor on the distance of the value from a floor.

    The value is changed by the ratio of two neighbouring factors, not set outright, so that
    several schedules on one parameter multiply.
    """

    #: Value that a factor of 0 leads to.
    eta_min: float = 0.0

    def _factor(self, step: int) -> float:
        raise NotImplementedError

    def _get_value(self) -> list[float]:
        groups = self.optimizer.param_groups
        factor = self._factor(self.last_step)
        before = self._factor(self.last_step - 1) if self.last_step > 0 else 1.0
        floor = self.eta_min
        if before == 0:
            # Nothing is left of the distance to scale: start again from the base value.
            return [floor + (base - floor) * factor for base in self.base_values]
        ratio = factor / before
        if ratio == 1:
            return [group[self.param_name] for group in groups]
        return [floor + (group[self.param_name] - floor) * ratio for group in groups]


@PARAM_SCHEDULERS.register_module()
class ConstantParamScheduler(_FactorScheduler):
    """Multiply a parameter by ``factor`` until the step before ``end``.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        factor: The factor, in [0, 1]. Defaults to 1/3.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.

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
    ) -> None:
        _check_share(self, "factor", factor)
        self.factor = factor
        self.total_iters = end - begin - 1
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose)

    def _factor(self, step: int) -> float:
        return schedules.constant(step, factor=self.factor, total=self.total_iters)


@PARAM_SCHEDULERS.register_module()
class LinearParamScheduler(_FactorScheduler):
    """Multiply a parameter by a factor that moves in a straight line, as for a warm-up.

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
    ) -> None:
        _check_share(self, "start_factor", start_factor)
        _check_share(self, "end_factor", end_factor)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = end - begin - 1
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose)

    def _factor(self, step: int) -> float:
        return schedules.linear(
            step, start=self.start_factor, end=self.end_factor, total=self.total_iters
        )


@PARAM_SCHEDULERS.register_module()
class ExponentialParamScheduler(_FactorScheduler):
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
    ) -> None:
        self.gamma = gamma
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose)

    def _get_value(self) -> list[float]:
        # The ratio of two powers is gamma itself; the powers would underflow in a long run.
        groups = self.optimizer.param_groups
        if self.last_step == 0:
            return [group[self.param_name] for group in groups]
        return [group[self.param_name] * self.gamma for group in groups]


@PARAM_SCHEDULERS.register_module()
class CosineAnnealingParamScheduler(_FactorScheduler):
    """Move a parameter along half a cosine from its value to ``eta_min``.

    See :func:`eng.optim.scheduler.schedules.cosine` for the formula and its source.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        T_max: Steps from the top to the bottom. Defaults to None, ``end - begin``.
        eta_min: The lowest value. Defaults to 0.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.

    Raises:
        ValueError: If ``T_max`` is below 1.
    """

    _epoch_settings = ("T_max",)

    def __init__(
        self,
        optimizer: OptimizerType,
        param_name: str,
        T_max: int | None = None,  # noqa: N803 - the documented name
        eta_min: float = 0.0,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
    ) -> None:
        self.T_max = T_max if T_max is not None else end - begin
        _check_positive(self, "T_max", self.T_max)
        self.eta_min = eta_min
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose)

    def _factor(self, step: int) -> float:
        return schedules.cosine(step, period=self.T_max)


@PARAM_SCHEDULERS.register_module()
class PolyParamScheduler(_FactorScheduler):
    """Let a parameter fall to ``eta_min`` along a polynomial.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        eta_min: Value that would be reached at ``end``. Defaults to 0.
        power: Power of the polynomial. Defaults to 1, a straight line.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.
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
    ) -> None:
        self.eta_min = eta_min
        self.power = power
        self.total_iters = end - begin
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose)

    def _factor(self, step: int) -> float:
        return schedules.polynomial(step, power=self.power, total=self.total_iters)


@PARAM_SCHEDULERS.register_module()
class StepParamScheduler(_FactorScheduler):
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
    ) -> None:
        _check_positive(self, "step_size", step_size)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose)

    def _factor(self, step: int) -> float:
        return schedules.step_decay(step, step_size=self.step_size, gamma=self.gamma)


@PARAM_SCHEDULERS.register_module()
class MultiStepParamScheduler(_FactorScheduler):
    """Multiply a parameter by ``gamma`` at each milestone.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        milestones: Steps at which the parameter changes. One named twice counts twice.
        gamma: The factor. Defaults to 0.1.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.
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
    ) -> None:
        self.milestones = sorted(milestones)
        self.gamma = gamma
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state; a counter of milestones, as older engines save, is taken too.

        Args:
            state_dict: The saved state.
        """
        super().load_state_dict(state_dict)
        if isinstance(self.milestones, Mapping):
            self.milestones = sorted(Counter(self.milestones).elements())

    def _factor(self, step: int) -> float:
        return schedules.multi_step(step, milestones=self.milestones, gamma=self.gamma)


@PARAM_SCHEDULERS.register_module()
class OneCycleParamScheduler(_ParamScheduler):
    """Move a parameter along the 1cycle policy. It sets the value outright: it does not chain.

    See :func:`eng.optim.scheduler.schedules.one_cycle` for the policy and its source.

    Args:
        optimizer: Optimizer or wrapper.
        param_name: Key of the parameter in the groups.
        eta_max: The highest value, one for all groups or one a group. Defaults to 0.
        total_steps: Steps of the cycle. Defaults to None, ``end - begin``.
        pct_start: Share of the cycle spent rising. Defaults to 0.3.
        anneal_strategy: ``'cos'`` (default) or ``'linear'``.
        div_factor: ``eta_max / div_factor`` is the first value. Defaults to 25.
        final_div_factor: First value over this is the last value. Defaults to 10⁴.
        three_phase: Whether the fall passes the first value again. Defaults to False.
        begin: First step. Defaults to 0.
        end: Step before which it ends. Defaults to never.
        last_step: See :class:`_ParamScheduler`. Defaults to -1.
        by_epoch: Whether steps are epochs. Defaults to True.
        verbose: Whether to log each change. Defaults to False.

    Raises:
        ValueError: If the number of steps is unknown, ``pct_start`` is outside [0, 1], the
            strategy unknown, or ``eta_max`` has not one value for each group.
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
    ) -> None:
        if total_steps is None and end >= INF:
            raise ValueError("OneCycle: give either total_steps or end")
        self.total_steps = end - begin if total_steps is None else total_steps
        _check_positive(self, "total_steps", self.total_steps)
        _check_share(self, "pct_start", pct_start)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}")
        self.pct_start = pct_start
        self.anneal_strategy = anneal_strategy
        self.three_phase = three_phase
        if last_step == -1:
            groups = optimizer.param_groups
            highest = list(eta_max) if isinstance(eta_max, Sequence) else [eta_max] * len(groups)
            if len(highest) != len(groups):
                raise ValueError(
                    f"eta_max has {len(highest)} values for {len(groups)} parameter groups"
                )
            for group, value in zip(groups, highest, strict=True):
                group[f"initial_{param_name}"] = value / div_factor
                group[f"max_{param_name}"] = value
                group[f"min_{param_name}"] = value / div_factor / final_div_factor
        super().__init__(optimizer, param_name, begin, end, last_step, by_epoch, verbose)

    def _get_value(self) -> list[float]:
        if self.last_step >= self.total_steps:
            raise ValueError(
                f"step {self.last_step} is past the {self.total_steps} steps of the cycle"
            )
        name = self.param_name
        return [
            schedules.one_cycle(
                self.last_step,
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


def _check_share(scheduler: _ParamScheduler, name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{type(scheduler).__name__}: {name} must be in [0, 1], got {value}")


def _check_positive(scheduler: _ParamScheduler, name: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"{type(scheduler).__name__}: {name} must be at least 1, got {value}")
