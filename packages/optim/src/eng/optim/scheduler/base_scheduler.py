"""Base classes of schedulers: their clock, begin and end, and state."""

from __future__ import annotations

import inspect
import warnings
import weakref
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from torch.optim import Optimizer

from eng.logging import print_log
from eng.utils import StateDict, override

from ..optimizer.base import BaseOptimWrapper
from ..optimizer.optimizer_wrapper import OptimWrapper
from ..types import Arguments

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

    A scheduler counts its calls of :meth:`step` and acts on those in ``[begin, end)``. Subclasses
    return the value at ``self.last_step``, which counts from 0 at ``begin``, from ``_get_value``.
    The constructor sets the first value.

    Several schedulers may act on one parameter, sequentially or at the same time: each changes the
    current value.

    Args:
        optimizer: The optimizer, or its wrapper, whose groups are changed.
        param_name: Key of the parameter in the groups, such as ``'lr'``.
        begin: First call of :meth:`step` to act on. Defaults to 0.
        end: Call before which the schedule ends. Defaults to 10⁹, which is never.
        last_step: Last completed step, to resume without a saved state. Defaults to -1, starting
            from scratch.
        by_epoch: Whether the training loop calls :meth:`step` after each epoch (the default) or
            after each iteration. It is also the unit of ``begin`` and ``end``.
        verbose: Whether to log each change. Defaults to False.
        by: The clock: ``'epoch'``, ``'iter'`` or ``'step'``. With ``'step'``, :meth:`step` is
            called after each iteration too, but counts the actual steps of the optimizer: one for
            several iterations with gradient accumulation, none if mixed precision skips an
            update. Defaults to None: see ``by_epoch``.

    Raises:
        TypeError: If ``optimizer`` is neither an optimizer nor a wrapper.
        ValueError: If ``by`` is unknown, ``begin`` or ``end`` negative, or ``begin`` not below
            ``end``.
        KeyError: If a group lacks ``param_name``, or, with ``last_step`` set, its initial value.
    """

    #: Whether :attr:`end` is the end of the training, which may change when a run is resumed.
    follows_training = False
    #: Settings that are derived from the end, by how much they are less than ``end - begin``.
    _follows: Mapping[str, int] = {}
    #: Settings that are missing in states of older versions, with their values then.
    _added_settings: ClassVar[Mapping[str, object]] = {}
    #: Whether :meth:`step` is also called with the metrics of each validation.
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
                f"{type(self).__name__}: begin and end must be at least 0, not {begin} and {end}"
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
        self.base_values = _get_initial_values(optimizer, param_name, fresh=last_step == -1)
        self.last_step = last_step
        self._global_step = -1
        self._last_value: list[float] = []
        #: Steps of the optimizer that :meth:`step` has not counted yet; 1, since the first value
        #: is set without a step.
        self._optimizer_steps = 1
        if self.by_optimizer_step:
            _count_steps(optimizer, self)
        self._watch = None if self.by_optimizer_step else _StepWatch(optimizer)
        self.step()

    def state_dict(self) -> StateDict:
        """Return the state that a new scheduler of the same settings resumes from."""
        excluded = ("optimizer", "_watch", "_follows", "follows_training", "need_val_args")
        return {key: value for key, value in self.__dict__.items() if key not in excluded}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Resume from a saved state.

        Args:
            state_dict: Result of :meth:`state_dict`.

        Raises:
            ValueError: If only one of the state and this scheduler counts steps of the optimizer.
        """
        saved = bool(state_dict.get("by_optimizer_step", False))
        if saved is not self.by_optimizer_step:
            counted = {True: "steps of the optimizer", False: "epochs or iterations"}
            raise ValueError(
                f"{type(self).__name__} counts {counted[self.by_optimizer_step]}, the state to "
                f"resume from counts {counted[saved]}"
            )
        self.__dict__.update({**self._added_settings, **state_dict})
        self._fit_to_groups()
        self._end_watch()

    def _fit_to_groups(self) -> None:
        """Add or drop the value of the base settings, which older checkpoints lack."""
        groups, name = self.optimizer.param_groups, self.param_name
        for attribute, key in (("base_values", f"initial_{name}"), ("_last_value", name)):
            values = list(getattr(self, attribute))
            if values and len(values) == len(groups) - 1:
                values.append(groups[-1].get(key, groups[-1][name]))
            setattr(self, attribute, values[: len(groups)])

    def settings(self) -> Arguments:
        """Return the arguments of this schedule that do not depend on its length, by name."""
        known = {name for kind in type(self).__mro__ for name in _list_arguments(kind)}
        excluded = {"optimizer", "begin", "end", "last_step", "verbose", "by", *self._follows}
        return {k: v for k, v in self.__dict__.items() if k in known - excluded}

    def set_end(self, end: int) -> None:
        """Move the end, and the settings that are derived from it.

        Args:
            end: The step before which the schedule ends.
        """
        self.end = end
        for name, less in self._follows.items():
            setattr(self, name, end - self.begin - less)

    def restart(self) -> None:
        """Restart the schedule from the initial values in the groups of the optimizer."""
        self.base_values = _get_initial_values(self.optimizer, self.param_name, fresh=False)
        self.last_step = self._global_step = -1
        self._optimizer_steps = 0
        self._end_watch()
        self.replay(1)

    def replay(self, steps: int) -> None:
        """Repeat steps without updates by the optimizer, to catch up with a run.

        Args:
            steps: Number of steps.
        """
        for _ in range(steps):
            self._advance_step()

    def get_last_value(self) -> list[float]:
        """Return the value of every parameter group after the last :meth:`step`."""
        return self._last_value

    def print_value(self, is_verbose: bool, group: int, value: float) -> None:
        """Log a value that was set.

        Args:
            is_verbose: Whether to log it.
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
            self._warn_about_wrong_order()
            self._advance_step()
            return
        for _ in range(self._optimizer_steps):
            self._advance_step()
        self._optimizer_steps = 0

    def _warn_about_wrong_order(self) -> None:
        """Warn, like torch, if the first step precedes the first one of the optimizer."""
        if self._global_step < 0 or self._watch is None:
            return
        # A wrapper may accumulate gradients, or skip an update that overflowed.
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

    def _advance_step(self) -> None:
        self._global_step += 1
        groups = self.optimizer.param_groups
        if self._acts_at(self._global_step):
            self.last_step += 1
            try:
                for index, (group, value) in enumerate(zip(groups, self._get_value(), strict=True)):
                    group[self.param_name] = value
                    if self.verbose:
                        self.print_value(self.verbose, index, value)
            except ValueError:  # of zip, so that nothing is compared in each step
                if not self._include_new_groups():
                    raise
                self._global_step, self.last_step = self._global_step - 1, self.last_step - 1
                self._advance_step()
                return
        self._last_value = [group[self.param_name] for group in groups]

    def _include_new_groups(self) -> bool:
        """Schedule groups that were added to the optimizer later, from the value that they have.

        Returns:
            Whether there are any.
        """
        name, new = self.param_name, self.optimizer.param_groups[len(self.base_values) :]
        self.base_values += [group.setdefault(f"initial_{name}", group[name]) for group in new]
        return bool(new)

    @abstractmethod
    def _get_value(self) -> list[float]:
        """Return the value of each group at ``self.last_step``."""
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
        """Build an iteration-based scheduler from settings in epochs.

        Args:
            *args: Positional arguments of the constructor.
            begin: First epoch.
            end: Epoch before which the schedule ends.
            by_epoch: Must be True: the settings are in epochs.
            epoch_length: Number of iterations per epoch.
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
                f"{cls.__name__}: epoch_length must be the number of iterations per epoch, "
                f"at least 1, not {epoch_length}"
            )
        end = end if end >= INF else int(end * epoch_length)
        for key in cls._epoch_settings:
            if kwargs.get(key) is not None:
                kwargs[key] = _multiply(kwargs[key], epoch_length)
        kwargs.update(begin=int(begin * epoch_length), end=end, by_epoch=False)
        return cls(*args, **kwargs)

    #: Names of the settings that count epochs, for :meth:`build_iter_from_epoch`.
    _epoch_settings: tuple[str, ...] = ()


def _list_arguments(kind: type) -> list[str]:
    own = vars(kind).get("__init__")
    return list(inspect.signature(own).parameters) if inspect.isfunction(own) else []


def _count_steps(optimizer: OptimizerType, scheduler: _ParamScheduler) -> None:
    """Count each step of an optimizer in a scheduler, by a hook."""
    plain = optimizer.optimizer if isinstance(optimizer, BaseOptimWrapper) else optimizer
    counter = weakref.ref(scheduler)  # so that the optimizer does not keep the scheduler alive

    def count(stepped: Optimizer, *_: object) -> None:
        alive = counter()
        if alive is None:
            return
        # A fused optimizer is called even if gradients overflowed, and skips the update itself.
        overflowed = getattr(stepped, "found_inf", None)
        if overflowed is None or not overflowed.item():
            alive._optimizer_steps += 1

    plain.register_step_post_hook(count)


class _StepWatch:
    """Records whether an optimizer steps, without a reference to the scheduler."""

    def __init__(self, optimizer: OptimizerType) -> None:
        self.has_stepped = False
        plain = optimizer.optimizer if isinstance(optimizer, BaseOptimWrapper) else optimizer
        self.handle = plain.register_step_post_hook(self._note)

    def _note(self, *_: object) -> None:
        self.has_stepped = True


def _get_initial_values(optimizer: OptimizerType, param_name: str, *, fresh: bool) -> list[float]:
    """Return the initial values of schedules, which the groups have as ``initial_<name>``."""
    key = f"initial_{param_name}"
    values = []
    for index, group in enumerate(optimizer.param_groups):
        if fresh and param_name in group:
            group.setdefault(key, group[param_name])
        if key not in group:
            missing = param_name if fresh else key
            raise KeyError(
                f"missing key {missing!r} to schedule in parameter group {index} of the optimizer; "
                f"it has {sorted(k for k in group if k != 'params')}"
            )
        values.append(group[key])
    return values


def _multiply(setting: float | Iterable[float], factor: int) -> int | list[int]:
    if isinstance(setting, Iterable):
        return [int(item * factor) for item in setting]
    return int(setting * factor)


class FactorScheduler(_ParamScheduler):
    """A schedule of factors on the distance of the value from a minimum.

    The value is changed by the ratio of two consecutive factors, not set absolutely, so that
    several schedules on one parameter multiply.
    """

    #: The minimum, at a factor of 0; None if :attr:`eta_min_ratio` is set.
    eta_min: float | None = 0.0
    #: The minimum as a ratio of the base value of each group.
    eta_min_ratio: float | None = None

    def _get_floors(self) -> list[float]:
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
        floors = self._get_floors()
        if before == 0:
            # The value is at the minimum, so a ratio cannot raise it: restart from the base value.
            triples = zip(groups, self.base_values, floors, strict=True)
            return [floor + (base - floor) * factor for _, base, floor in triples]
        ratio = factor / before
        if ratio == 1:
            return [group[self.param_name] for group in groups]
        return [
            floor + (group[self.param_name] - floor) * ratio
            for group, floor in zip(groups, floors, strict=True)
        ]


class WarmUpScheduler(FactorScheduler):
    """A factor that ends at the last step before ``end``, or, if that is the first, at ``end``.

    A schedule of a single step acts in this step and restores the value at the next.
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
        raise ValueError(f"{type(scheduler).__name__}: {name} must be in [0, 1], not {value}")


def check_positive(scheduler: _ParamScheduler, name: str, value: int) -> None:
    """Raise a ValueError if a setting is below 1."""
    if value < 1:
        raise ValueError(f"{type(scheduler).__name__}: {name} must be at least 1, not {value}")
