"""What all schedulers share: their clock, where they begin and end, and their state."""

from __future__ import annotations

import inspect
import warnings
import weakref
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from torch.optim import Optimizer

from eng.logging import print_log
from eng.utils import override

from ..optimizer.base import BaseOptimWrapper
from ..optimizer.optimizer_wrapper import OptimWrapper

__all__ = [
    "INF",
    "Clock",
    "FactorScheduler",
    "OptimizerType",
    "WarmUpScheduler",
    "_ParamScheduler",
    "check_positive",
    "check_share",
]

INF = int(1e9)
Clock: TypeAlias = Literal["epoch", "iter", "step"]
_CLOCKS = (None, "epoch", "iter", "step")
OptimizerType: TypeAlias = Optimizer | BaseOptimWrapper


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
        by: The clock: ``'epoch'``, ``'iter'`` or ``'step'``. Under ``'step'`` :meth:`step` is
            called after each iteration as well, but counts the steps that the optimizer has
            really taken since: with gradient accumulation one for several iterations, and none
            where mixed precision left an update out. Defaults to None: ``by_epoch`` decides.

    Raises:
        TypeError: If ``optimizer`` is neither an optimizer nor a wrapper.
        ValueError: If ``by`` is unknown, ``begin`` or ``end`` negative, or ``begin`` not below
            ``end``.
        KeyError: If a group lacks ``param_name``, or, with ``last_step`` given, its initial value.
    """

    #: Whether :attr:`end` is that of the training, which a resumed run may have another of.
    follows_training = False
    #: Settings that follow the end, with what they are less than ``end - begin``.
    _follows: Mapping[str, int] = {}
    #: Settings that states of older versions lack, with the values that they had then.
    _added_settings: ClassVar[Mapping[str, Any]] = {}
    #: Whether :meth:`step` is called with the metrics of each validation as well.
    need_val_args = False

    def __init__(
        self,
        optimizer: OptimizerType,
        param_name: str,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
        *,
        by: Clock | None = None,
    ) -> None:
        if not isinstance(optimizer, (Optimizer, BaseOptimWrapper)):
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
                f"{type(self).__name__}: end should be larger than begin, but got "
                f"begin={begin}, end={end}"
            )
        if by not in _CLOCKS:
            raise ValueError(f"{type(self).__name__}: by should be one of {_CLOCKS}, not {by!r}")
        self.optimizer = optimizer
        self.param_name = param_name
        self.begin = begin
        self.end = end
        self.by_epoch = by_epoch if by is None else by == "epoch"
        self.by_optimizer_step = by == "step"
        self.verbose = verbose
        self.base_values = _initial_values(optimizer, param_name, fresh=last_step == -1)
        self.last_step = last_step
        self._global_step = -1
        self._last_value: list[float] = []
        #: Steps of the optimizer that :meth:`step` has not counted yet; the first value is set
        #: without one.
        self._optimizer_steps = 1
        if self.by_optimizer_step:
            _count_steps(optimizer, self)
        self._watch = None if self.by_optimizer_step else _StepWatch(optimizer)
        self.step()

    def state_dict(self) -> dict[str, Any]:
        """Everything that a new scheduler of the same settings needs to go on, as plain data."""
        left_out = ("optimizer", "_watch", "_follows", "follows_training", "need_val_args")
        return {key: value for key, value in self.__dict__.items() if key not in left_out}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state that :meth:`state_dict` gave.

        Args:
            state_dict: The saved state.

        Raises:
            ValueError: If it counts steps of the optimizer and this scheduler does not, or the
                other way round.
        """
        saved = bool(state_dict.get("by_optimizer_step", False))
        if saved is not self.by_optimizer_step:
            counted = {True: "steps of the optimizer", False: "epochs or iterations"}
            raise ValueError(
                f"{type(self).__name__} counts {counted[self.by_optimizer_step]}, the state to go "
                f"on from counts {counted[saved]}"
            )
        self.__dict__.update({**self._added_settings, **state_dict})
        self._fit_to_groups()
        self._end_watch()

    def _fit_to_groups(self) -> None:
        """Add or drop the value of the base settings, which not all checkpoints have."""
        groups, name = self.optimizer.param_groups, self.param_name
        for attribute, key in (("base_values", f"initial_{name}"), ("_last_value", name)):
            values = list(getattr(self, attribute))
            if values and len(values) == len(groups) - 1:
                values.append(groups[-1].get(key, groups[-1][name]))
            setattr(self, attribute, values[: len(groups)])

    def settings(self) -> dict[str, Any]:
        """The arguments of this schedule that do not follow from its length, by name."""
        known = {name for kind in type(self).__mro__ for name in _arguments_of(kind)}
        left_out = {"optimizer", "begin", "end", "last_step", "verbose", "by", *self._follows}
        return {k: v for k, v in self.__dict__.items() if k in known - left_out}

    def set_end(self, end: int) -> None:
        """Move the end, and with it the settings that were not given and follow from it.

        Args:
            end: The step before which the schedule ends.
        """
        self.end = end
        for name, less in self._follows.items():
            setattr(self, name, end - self.begin - less)

    def restart(self) -> None:
        """Begin the schedule again from the initial values in the groups of the optimizer."""
        self.base_values = _initial_values(self.optimizer, self.param_name, fresh=False)
        self.last_step = self._global_step = -1
        self._optimizer_steps = 0
        self._end_watch()
        self.replay(1)

    def replay(self, steps: int) -> None:
        """Take steps without an update by the optimizer, to get to where a run is.

        Args:
            steps: Their number.
        """
        for _ in range(steps):
            self._advance()

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
        if not self.by_optimizer_step:
            self._warn_of_a_wrong_order()
            self._advance()
            return
        for _ in range(self._optimizer_steps):
            self._advance()
        self._optimizer_steps = 0

    def _warn_of_a_wrong_order(self) -> None:
        """Warn, as torch does, if the first step comes before one of the optimizer."""
        if self._global_step < 0 or self._watch is None:
            return
        # A wrapper may accumulate gradients, or leave an update out that overflowed.
        went_back = isinstance(self.optimizer, OptimWrapper) and self.optimizer.inner_count > 0
        if not self._watch.has_stepped and not went_back:
            warnings.warn(
                f"Detected call of `{type(self).__name__}.step()` before `optimizer.step()`: the "
                f"first value of {self.param_name!r} is skipped. Call them in the opposite order.",
                UserWarning,
                stacklevel=3,
            )
        self._end_watch()

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.handle.remove()
            self._watch = None

    def _acts_at(self, step: int) -> bool:
        return self.begin <= step < self.end

    def _advance(self) -> None:
        self._global_step += 1
        groups = self.optimizer.param_groups
        if self._acts_at(self._global_step):
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
        if kwargs.pop("by", None) not in (None, "epoch"):
            raise ValueError(
                f"{cls.__name__}: convert_to_iter_based needs settings in epochs, by='epoch'"
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


def _arguments_of(kind: type) -> list[str]:
    own = vars(kind).get("__init__")
    return list(inspect.signature(own).parameters) if inspect.isfunction(own) else []


def _count_steps(optimizer: OptimizerType, scheduler: _ParamScheduler) -> None:
    """Let an optimizer tell a scheduler of each step that it takes."""
    plain = optimizer.optimizer if isinstance(optimizer, BaseOptimWrapper) else optimizer
    told = weakref.ref(scheduler)  # the optimizer keeps no scheduler alive

    def count(stepped: Optimizer, *_: Any) -> None:
        alive = told()
        if alive is None:
            return
        # A fused optimizer is called though gradients overflowed, and leaves the update out itself.
        overflowed = getattr(stepped, "found_inf", None)
        if overflowed is None or not overflowed.item():
            alive._optimizer_steps += 1

    plain.register_step_post_hook(count)


class _StepWatch:
    """Notes whether an optimizer steps; it keeps no scheduler alive."""

    def __init__(self, optimizer: OptimizerType) -> None:
        self.has_stepped = False
        plain = optimizer.optimizer if isinstance(optimizer, BaseOptimWrapper) else optimizer
        self.handle = plain.register_step_post_hook(self._note)

    def _note(self, *_: Any) -> None:
        self.has_stepped = True


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


class FactorScheduler(_ParamScheduler):
    """A schedule that is a factor on the distance of the value from a floor.

    The value is changed by the ratio of two neighbouring factors, not set outright, so that
    several schedules on one parameter multiply.
    """

    #: Value that a factor of 0 leads to; None where :attr:`eta_min_ratio` says it.
    eta_min: float | None = 0.0
    #: That value as a share of the base value of each group.
    eta_min_ratio: float | None = None

    def _floors(self) -> list[float]:
        if self.eta_min_ratio is not None:
            return [base * self.eta_min_ratio for base in self.base_values]
        return [self.eta_min or 0.0] * len(self.base_values)

    def _factor(self, step: int) -> float:
        raise NotImplementedError

    @override
    def _get_value(self) -> list[float]:
        groups = self.optimizer.param_groups
        factor = self._factor(self.last_step)
        before = self._factor(self.last_step - 1) if self.last_step > 0 else 1.0
        floors = self._floors()
        if before == 0:
            # Nothing is left of the distance to scale: start again from the base value.
            pairs = zip(self.base_values, floors, strict=True)
            return [floor + (base - floor) * factor for base, floor in pairs]
        ratio = factor / before
        if ratio == 1:
            return [group[self.param_name] for group in groups]
        return [
            floor + (group[self.param_name] - floor) * ratio
            for group, floor in zip(groups, floors, strict=True)
        ]


class WarmUpScheduler(FactorScheduler):
    """A factor that has gone at the last step before ``end``, or, if that is the first, at ``end``.

    A schedule of a single step acts in this step and gives the value back at the next.
    """

    @property
    def _total(self) -> int:
        return max(self.end - self.begin - 1, 1)

    @override
    def _acts_at(self, step: int) -> bool:
        return self.begin <= step <= self.begin + self._total


def check_share(scheduler: _ParamScheduler, name: str, value: float) -> None:
    """Raise a ValueError if a setting is outside [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"{type(scheduler).__name__}: {name} must be in [0, 1], got {value}")


def check_positive(scheduler: _ParamScheduler, name: str, value: int) -> None:
    """Raise a ValueError if a setting is below 1."""
    if value < 1:
        raise ValueError(f"{type(scheduler).__name__}: {name} must be at least 1, got {value}")
