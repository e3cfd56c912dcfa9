"""Running averages of a model's parameters."""

from __future__ import annotations

import itertools
import logging
from abc import abstractmethod
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from eng.logging import print_log
from eng.registry import MODELS
from eng.utils import ArgumentValueError, override

from .model_tensors import ModelTensors, picker, tensors_of

__all__ = [
    "BaseAveragedModel",
    "ExponentialMovingAverage",
    "MomentumAnnealingEMA",
    "StochasticWeightAverage",
]


Pair: TypeAlias = tuple[Sequence[Tensor], Sequence[Tensor]]


class BaseAveragedModel(nn.Module):
    """A copy of a model whose parameters are an average over the training.

    A subclass says in :meth:`avg_func` how one parameter goes into the average. It may also
    override :meth:`avg_func_foreach`, which handles all of them at once and is what makes it fast.

    Args:
        model: The model to average. It is copied.
        interval: Calls of :meth:`update_parameters` between two updates. Defaults to 1.
        device: Where the copy lives. Defaults to None, beside the model.
        update_buffers: Whether buffers of floating point numbers are averaged as well, and the
            others copied then. If False (the default), every call copies all of them.

    Attributes:
        module: The averaged model.
        steps: Number of calls of :meth:`update_parameters` so far, a tensor of one integer, for
            the state. It is only written: the host counts for itself.

    Raises:
        ValueError: If ``interval`` is below 1.
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
            raise ArgumentValueError(f"interval must be at least 1, got {interval}")
        self.module = deepcopy(model).requires_grad_(False)
        self.interval = interval
        if device is not None:
            self.module = self.module.to(device)
        self.update_buffers = update_buffers
        beside = next(itertools.chain(self.module.parameters(), self.module.buffers()), None)
        where = None if beside is None else beside.device
        self.register_buffer("steps", torch.tensor(0, dtype=torch.long, device=where))
        # The same number where the host can ask for it without waiting for a device.
        self._steps = 0
        self._plan: _Plan | None = None

    @override
    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "avg_func" in vars(cls) and "avg_func_foreach" not in vars(cls):
            # What the parent does with all parameters at once is not what this class does with one.
            cls.avg_func_foreach = BaseAveragedModel.avg_func_foreach  # type: ignore[method-assign]

    @abstractmethod
    def avg_func(self, averaged_param: Tensor, source_param: Tensor, steps: int) -> None:
        """Take one parameter into its average, in place.

        Args:
            averaged_param: The average.
            source_param: The parameter, of the same shape.
            steps: Number of updates done before.
        """

    def avg_func_foreach(
        self, averaged_params: Sequence[Tensor], source_params: Sequence[Tensor], steps: int
    ) -> None:
        """Take many parameters into their averages, in place.

        Args:
            averaged_params: The averages.
            source_params: The parameters, in the same order and on the same devices.
            steps: Number of updates done before.
        """
        for averaged, source in zip(averaged_params, source_params, strict=True):
            self.avg_func(averaged, source, steps)

    @override
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the averaged model.

        Args:
            *args: Arguments of the model.
            **kwargs: Arguments of the model.

        Returns:
            What it returns.
        """
        return self.module(*args, **kwargs)

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Take the parameters that a model has now into the average.

        The first call copies them. Later, one call in ``interval`` updates the average.

        Args:
            model: The model, of the same parameters as the averaged one.

        Raises:
            KeyError: If a parameter or buffer of the averaged model is missing in it.
        """
        first = self._steps == 0
        due = first or self._steps % self.interval == 0
        if due or not self.update_buffers:
            averaged, copied = self._pairs(model)
            if first:
                _copy(*averaged)
            elif due and averaged[0]:
                self.avg_func_foreach(*averaged, self._steps)
            # Buffers that are not averaged are those of the model at any time.
            _copy(*copied)
        self._steps += 1
        self.steps += 1

    def _pairs(self, model: nn.Module) -> list[Pair]:
        """Tensors of the average and of a model: those to be averaged, and those to be copied."""
        ours, tensors = tensors_of(self.module)
        theirs, source = tensors_of(model)
        # Models are moved as a whole: where the first tensor is, the others are as they were.
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
    def __getstate__(self) -> dict[str, Any]:
        # A copy has other tensors.
        return {**self.__dict__, "_plan": None}

    @override
    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        if not self.steps.is_meta:
            self._steps = int(self.steps)


class _Plan:
    """Which tensors of an average and of a model go together, worked out once for both.

    Args:
        key: What it holds for.
        ours: Places of the tensors of the average.
        tensors: The tensors that are there.
        theirs: Places of the tensors of the model.
        source: The tensors that are there.

    Raises:
        KeyError: If the model lacks one.
    """

    def __init__(
        self,
        key: tuple[Any, ...],
        ours: ModelTensors,
        tensors: list[Any],
        theirs: ModelTensors,
        source: list[Any],
    ) -> None:
        self.key = key
        update_buffers = key[2]
        averaged: list[tuple[int, int]] = []
        copied: list[tuple[int, int]] = []
        for name, (position, is_parameter) in ours.places.items():
            if name not in theirs.places:
                raise KeyError(f"{name!r} of the averaged model is not in the model it averages")
            tensor = tensors[position]
            has_mean = tensor.is_floating_point() or tensor.is_complex()
            takes_part = has_mean and (is_parameter or update_buffers)
            (averaged if takes_part else copied).append((position, theirs.places[name][0]))
        self._same_device = all(
            tensors[a].device == source[b].device for a, b in (*averaged, *copied)
        )
        self._pickers = [
            (picker([a for a, _ in pairs]), picker([b for _, b in pairs]))
            for pairs in (averaged, copied)
        ]

    def pairs(self, tensors: list[Any], source: list[Any]) -> list[Pair]:
        """Tensors that go together: those to be averaged, and those to be copied."""
        pairs: list[Pair] = [(mine(tensors), other(source)) for mine, other in self._pickers]
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
    """The plain mean of all parameters seen.

    From "Averaging Weights Leads to Wider Optima and Better Generalization" (Izmailov et al.,
    2018).

    Args:
        model: The model to average.
        interval: Calls between two updates. Defaults to 1.
        device: Where the average lives. Defaults to None, beside the model.
        update_buffers: Whether buffers are averaged as well. Defaults to False.
    """

    @override
    def avg_func(self, averaged_param: Tensor, source_param: Tensor, steps: int) -> None:
        """Take one parameter into the mean of all seen, in place.

        Args:
            averaged_param: The mean so far.
            source_param: The parameter.
            steps: Number of calls before.
        """
        averaged_param.lerp_(source_param, self._weight(steps))

    @override
    def avg_func_foreach(
        self, averaged_params: Sequence[Tensor], source_params: Sequence[Tensor], steps: int
    ) -> None:
        """Take many parameters into their means, in place.

        Args:
            averaged_params: The means so far.
            source_params: The parameters.
            steps: Number of calls before.
        """
        torch._foreach_lerp_(list(averaged_params), list(source_params), self._weight(steps))

    def _weight(self, steps: int) -> float:
        return 1 / (steps // self.interval + 1)


@MODELS.register_module()
class ExponentialMovingAverage(BaseAveragedModel):
    r"""An average in which older parameters count less and less.

    :math:`X_{ema} \leftarrow (1 - momentum) \cdot X_{ema} + momentum \cdot X`

    Args:
        model: The model to average.
        momentum: Weight of the newest parameters, in (0, 1). Defaults to 0.0002.
        interval: Calls between two updates. Defaults to 1.
        device: Where the average lives. Defaults to None, beside the model.
        update_buffers: Whether buffers are averaged as well. Defaults to False.

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
            raise ArgumentValueError(f"momentum must be in (0, 1), got {momentum}")
        if momentum > 0.5:
            print_log(
                f"momentum {momentum} is the weight of the newest parameters, usually a small "
                "number such as 0.0002: did you mean 1 - momentum?",
                logger="current",
                level=logging.WARNING,
            )
        self.momentum = momentum

    def momentum_at(self, steps: int) -> float:
        """The weight of the newest parameters after a number of steps.

        Args:
            steps: Number of calls of :meth:`update_parameters` before.

        Returns:
            The weight.
        """
        return self.momentum

    @override
    def avg_func(self, averaged_param: Tensor, source_param: Tensor, steps: int) -> None:
        """Take one parameter into its average, in place.

        Args:
            averaged_param: The average.
            source_param: The parameter.
            steps: Number of calls before.
        """
        averaged_param.lerp_(source_param, self.momentum_at(steps))

    @override
    def avg_func_foreach(
        self, averaged_params: Sequence[Tensor], source_params: Sequence[Tensor], steps: int
    ) -> None:
        """Take many parameters into their averages, in place.

        Args:
            averaged_params: The averages.
            source_params: The parameters.
            steps: Number of calls before.
        """
        torch._foreach_lerp_(list(averaged_params), list(source_params), self.momentum_at(steps))


@MODELS.register_module()
class MomentumAnnealingEMA(ExponentialMovingAverage):
    """An :class:`ExponentialMovingAverage` whose momentum is large at first.

    The momentum is ``max(momentum, gamma / (gamma + steps))``.

    Args:
        model: The model to average.
        momentum: The momentum approached, in (0, 1). Defaults to 0.0002.
        gamma: The larger, the longer the momentum stays large. Defaults to 100.
        interval: Calls between two updates. Defaults to 1.
        device: Where the average lives. Defaults to None, beside the model.
        update_buffers: Whether buffers are averaged as well. Defaults to False.

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
            raise ArgumentValueError(f"gamma must be above 0, got {gamma}")
        self.gamma = gamma

    @override
    def momentum_at(self, steps: int) -> float:
        """The weight of the newest parameters after a number of steps.

        Args:
            steps: Number of calls of :meth:`update_parameters` before.

        Returns:
            The weight.
        """
        return max(self.momentum, self.gamma / (self.gamma + steps))
