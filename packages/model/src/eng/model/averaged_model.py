"""Running averages of a model's parameters."""

from __future__ import annotations

import itertools
import logging
from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

from eng.logging import print_log
from eng.registry import MODELS
from eng.utils import ArgumentValueError, StateDict, override

from .model_tensors import ModelTensors, Slots, picker, tensors_of
from .sharded_copy import copy_model, has_shards, local_of
from .types import ModelOutputs

__all__ = [
    "BaseAveragedModel",
    "ExponentialMovingAverage",
    "MomentumAnnealingEMA",
    "StochasticWeightAverage",
]


Pair: TypeAlias = tuple[Sequence[Tensor], Sequence[Tensor]]


class BaseAveragedModel(nn.Module):
    """A copy of a model whose parameters are averaged over the training.

    A subclass implements :meth:`avg_func`, which averages one parameter. It may also override
    :meth:`avg_func_foreach`, which averages all parameters at once and is faster.

    Args:
        model: The model to average, which is copied. Of a sharded model each process averages its
            shards; that average cannot be called.
        interval: Calls of :meth:`update_parameters` between two updates. Defaults to 1.
        device: Device of the copy. Defaults to None, that of the model.
        update_buffers: Whether to average floating point buffers as well, and to copy the others
            with each update. If False (the default), every call copies all buffers.

    Attributes:
        module: The averaged model.
        steps: Number of calls of :meth:`update_parameters`, a tensor of one integer, for the state.
            The host has its own counter, which follows if other code sets it.

    Raises:
        ValueError: If ``interval`` is below 1, or ``device`` is set for a sharded model.
    """

    steps: Tensor

    def __init__(
        self,
        model: nn.Module,
        interval: int = 1,
        device: torch.device | str | None = None,
        update_buffers: bool = False,
    ) -> None:
        super().__init__()
        if interval < 1:
            raise ArgumentValueError(f"interval must be at least 1, not {interval}")
        if device is not None and has_shards(model):
            raise ArgumentValueError(
                f"the average of a sharded model is on the device of its shards, not on {device!r}"
            )
        self.module = copy_model(model).requires_grad_(False)
        self.interval = interval
        if device is not None:
            self.module = self.module.to(device)
        self.update_buffers = update_buffers
        first = next(itertools.chain(self.module.parameters(), self.module.buffers()), None)
        own_device = None if first is None else first.device
        self.register_buffer("steps", torch.tensor(0, dtype=torch.long, device=own_device))
        # The same number on the host, which reads it without synchronizing with a device.
        self._steps = 0
        self._seen_steps: tuple[Tensor, int] | None = (self.steps, _version_of(self.steps))
        self._plan: _Plan | None = None

    @override
    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        owners = [
            next(place for place, kind in enumerate(cls.__mro__) if name in vars(kind))
            for name in ("avg_func", "avg_func_foreach")
        ]
        if owners[0] < owners[1]:
            # The foreach version of a parent does not match the avg_func of this class or a mixin.
            cls.avg_func_foreach = BaseAveragedModel.avg_func_foreach  # type: ignore[method-assign]

    @abstractmethod
    def avg_func(self, averaged_param: Tensor, source_param: Tensor, steps: int) -> None:
        """Update the average of one parameter in place.

        Args:
            averaged_param: The average; of a sharded parameter, the shard of this process.
            source_param: The parameter, of the same shape.
            steps: Number of previous calls of :meth:`update_parameters`.
        """

    def avg_func_foreach(
        self, averaged_params: Sequence[Tensor], source_params: Sequence[Tensor], steps: int
    ) -> None:
        """Update the averages of many parameters in place.

        Args:
            averaged_params: The averages.
            source_params: The parameters, in the same order and on the same devices.
            steps: Number of previous calls of :meth:`update_parameters`.
        """
        for averaged, source in zip(averaged_params, source_params, strict=True):
            self.avg_func(averaged, source, steps)

    @override
    def forward(self, *args: object, **kwargs: object) -> ModelOutputs:
        return self.module(*args, **kwargs)

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Update the average with the current parameters of a model.

        The first call copies them. Later, one call in ``interval`` updates the average.

        Args:
            model: The model, with the same parameters as the averaged one.

        Raises:
            KeyError: If a parameter or buffer of the averaged model is missing in it.
        """
        self._follow_steps()
        first = self._steps == 0
        due = first or self._steps % self.interval == 0
        if due or not self.update_buffers:
            averaged, copied = self._pair_tensors(model)
            if first:
                _copy(*averaged)
            elif due and averaged[0]:
                self.avg_func_foreach(*averaged, self._steps)
            # Buffers that are not averaged always equal those of the model.
            _copy(*copied)
        self._steps += 1
        # Not by the attributes, which a module finds after a failed look-up and sets after checks.
        steps = self._buffers["steps"]
        assert steps is not None
        steps.add_(1)
        self._seen_steps = (steps, _version_of(steps))

    @property
    def avg_parameters(self) -> dict[str, Tensor]:
        """The averages by name, with buffers if ``update_buffers`` is set, to modify in place."""
        if self.update_buffers:
            return dict(self.module.state_dict())
        return dict(self.module.named_parameters())

    def _follow_steps(self) -> None:
        """Read the counter, which synchronizes with its device, if other code has set it."""
        steps = self._buffers["steps"]
        assert steps is not None
        seen = self._seen_steps
        if seen is not None and seen[0] is steps and seen[1] == _version_of(steps):
            return
        if not steps.is_meta:
            self._steps = int(steps)

    def _pair_tensors(self, model: nn.Module) -> list[Pair]:
        """Pair tensors of the average and of a model: those to average, and those to copy."""
        module = self._modules["module"]
        assert module is not None
        ours, tensors = tensors_of(module)
        theirs, source = tensors_of(model)
        # Models are moved as a whole: the device of the first tensor stands for all.
        key = (
            ours.serial,
            theirs.serial,
            self.update_buffers,
            None if ours.first is None else tensors[ours.first].device,
            None if theirs.first is None else source[theirs.first].device,
        )
        if self._plan is None or self._plan.key != key:
            self._plan = _Plan(key, ours, tensors, theirs, source)
        return self._plan.pairs(tensors, source)

    @override
    def __getstate__(self) -> StateDict:
        # A copy has other tensors.
        return {**self.__dict__, "_plan": None, "_seen_steps": None}

    @override
    def _load_from_state_dict(self, *args: object, **kwargs: object) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        if not self.steps.is_meta:
            self._steps = int(self.steps)


def _version_of(tensor: Tensor) -> int:
    """Return the number of in-place changes, which is not counted in inference mode."""
    return 0 if tensor.is_inference() else tensor._version


class _Plan:
    """Corresponding tensors of an average and of a model, found once for both.

    Args:
        key: Key under which the plan is valid.
        ours: Index of the tensors of the average.
        tensors: The tensors of the average.
        theirs: Index of the tensors of the model.
        source: The tensors of the model.

    Raises:
        KeyError: If a tensor is missing in the model.
    """

    def __init__(
        self,
        key: tuple[int, int, bool, torch.device | None, torch.device | None],
        ours: ModelTensors,
        tensors: Slots,
        theirs: ModelTensors,
        source: Slots,
    ) -> None:
        self.key = key
        update_buffers = key[2]
        averaged: list[tuple[int, int]] = []
        copied: list[tuple[int, int]] = []
        for name, (position, is_parameter) in ours.places.items():
            if name not in theirs.places:
                raise KeyError(f"missing key {name!r} in the model to average")
            tensor = tensors[position]
            has_mean = tensor.is_floating_point() or tensor.is_complex()
            takes_part = has_mean and (is_parameter or update_buffers)
            (averaged if takes_part else copied).append((position, theirs.places[name][0]))
        self._same_device = all(
            tensors[a].device == source[b].device for a, b in (*averaged, *copied)
        )
        self._is_sharded = any(hasattr(tensors[a], "to_local") for a, _ in (*averaged, *copied))
        self._pickers = [
            (picker([a for a, _ in pairs]), picker([b for _, b in pairs]))
            for pairs in (averaged, copied)
        ]

    def pairs(self, tensors: Slots, source: Slots) -> list[Pair]:
        """Return corresponding tensors: those to average, and those to copy."""
        pairs: list[Pair] = [(mine(tensors), other(source)) for mine, other in self._pickers]
        if self._is_sharded:  # shards of one process are averaged as whole tensors are
            pairs = [([*map(local_of, mine)], [*map(local_of, other)]) for mine, other in pairs]
        if self._same_device:
            return pairs
        return [
            (mine, [o.to(m.device) for m, o in zip(mine, other, strict=True)])
            for mine, other in pairs
        ]


def _copy(averaged: Sequence[Tensor], source: Sequence[Tensor]) -> None:
    if averaged:
        torch._foreach_copy_(list(averaged), list(source))


@MODELS.register_module()
class StochasticWeightAverage(BaseAveragedModel):
    """The arithmetic mean of all parameters over the training.

    From "Averaging Weights Leads to Wider Optima and Better Generalization" (Izmailov et al.,
    2018).

    Args:
        model: The model to average.
        interval: Calls between two updates. Defaults to 1.
        device: Device of the average. Defaults to None, that of the model.
        update_buffers: Whether to average buffers as well. Defaults to False.
    """

    @override
    def avg_func(self, averaged_param: Tensor, source_param: Tensor, steps: int) -> None:
        averaged_param.lerp_(source_param, self._compute_weight(steps))

    @override
    def avg_func_foreach(
        self, averaged_params: Sequence[Tensor], source_params: Sequence[Tensor], steps: int
    ) -> None:
        weight = self._compute_weight(steps)
        torch._foreach_lerp_(list(averaged_params), list(source_params), weight)

    def _compute_weight(self, steps: int) -> float:
        return 1 / (steps // self.interval + 1)


@MODELS.register_module()
class ExponentialMovingAverage(BaseAveragedModel):
    """An exponential moving average of the parameters.

    ``X_ema = (1 - momentum) * X_ema + momentum * X``

    Args:
        model: The model to average.
        momentum: Weight of the newest parameters, in (0, 1). Defaults to 0.0002.
        interval: Calls between two updates. Defaults to 1.
        device: Device of the average. Defaults to None, that of the model.
        update_buffers: Whether to average buffers as well. Defaults to False.

    Raises:
        ValueError: If ``momentum`` is outside (0, 1).
    """

    def __init__(
        self,
        model: nn.Module,
        momentum: float = 0.0002,
        interval: int = 1,
        device: torch.device | str | None = None,
        update_buffers: bool = False,
    ) -> None:
        super().__init__(model, interval, device, update_buffers)
        if not 0 < momentum < 1:
            raise ArgumentValueError(f"momentum must be in (0, 1), not {momentum}")
        if momentum > 0.5:
            print_log(
                f"momentum {momentum} is the weight of the newest parameters, usually a small "
                "number such as 0.0002: did you mean 1 - momentum?",
                logger="current",
                level=logging.WARNING,
            )
        self.momentum = momentum

    def momentum_at(self, steps: int) -> float:
        """Return the weight of the newest parameters.

        Args:
            steps: Number of previous calls of :meth:`update_parameters`.

        Returns:
            The weight.
        """
        return self.momentum

    @override
    def avg_func(self, averaged_param: Tensor, source_param: Tensor, steps: int) -> None:
        averaged_param.lerp_(source_param, self.momentum_at(steps))

    @override
    def avg_func_foreach(
        self, averaged_params: Sequence[Tensor], source_params: Sequence[Tensor], steps: int
    ) -> None:
        torch._foreach_lerp_(list(averaged_params), list(source_params), self.momentum_at(steps))


@MODELS.register_module()
class MomentumAnnealingEMA(ExponentialMovingAverage):
    """An :class:`ExponentialMovingAverage` whose momentum is large initially.

    The momentum is ``max(momentum, gamma / (gamma + steps))``.

    Args:
        model: The model to average.
        momentum: The final momentum, in (0, 1). Defaults to 0.0002.
        gamma: Time scale of the annealing; a larger value keeps the momentum large for longer.
            Defaults to 100.
        interval: Calls between two updates. Defaults to 1.
        device: Device of the average. Defaults to None, that of the model.
        update_buffers: Whether to average buffers as well. Defaults to False.

    Raises:
        ValueError: If ``gamma`` is not above 0.
    """

    def __init__(
        self,
        model: nn.Module,
        momentum: float = 0.0002,
        gamma: int = 100,
        interval: int = 1,
        device: torch.device | str | None = None,
        update_buffers: bool = False,
    ) -> None:
        super().__init__(model, momentum, interval, device, update_buffers)
        if gamma <= 0:
            raise ArgumentValueError(f"gamma must be above 0, not {gamma}")
        self.gamma = gamma

    @override
    def momentum_at(self, steps: int) -> float:
        return max(self.momentum, self.gamma / (self.gamma + steps))
