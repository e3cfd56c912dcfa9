"""Running averages of a model's parameters."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from eng.registry import MODELS

__all__ = [
    "BaseAveragedModel",
    "ExponentialMovingAverage",
    "MomentumAnnealingEMA",
    "StochasticWeightAverage",
]


class BaseAveragedModel(nn.Module):
    """A copy of a model whose parameters are an average over the training.

    A subclass says in :meth:`avg_func` how one parameter goes into the average. It may also
    override :meth:`avg_func_foreach`, which handles all of them at once and is what makes it fast.

    Args:
        model: The model to average. It is copied.
        interval: Calls of :meth:`update_parameters` between two updates. Defaults to 1.
        device: Where the copy lives. Defaults to None, beside the model.
        update_buffers: Whether buffers of floating point numbers are averaged as well. All
            other buffers, and all of them if False, are copied. Defaults to False.

    Attributes:
        module: The averaged model.
        steps: Number of calls of :meth:`update_parameters` so far, a tensor of one integer.

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
            raise ValueError(f"interval must be at least 1, got {interval}")
        self.module = deepcopy(model).requires_grad_(False)
        self.interval = interval
        if device is not None:
            self.module = self.module.to(device)
        self.update_buffers = update_buffers
        # On the CPU: it is counted and asked by the host in every iteration.
        self.register_buffer("steps", torch.tensor(0, dtype=torch.long, device="cpu"))

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
        steps = int(self.steps)
        first = steps == 0
        if first or steps % self.interval == 0:
            averaged, source = self._pairs(model, averaging=True)
            if first:
                _copy(averaged, source)
            elif averaged:
                self.avg_func_foreach(averaged, source, steps)
            _copy(*self._pairs(model, averaging=False))
        self.steps += 1

    def _pairs(self, model: nn.Module, *, averaging: bool) -> tuple[list[Tensor], list[Tensor]]:
        """Tensors of the average and of the model, those averaged or those merely copied."""
        source = _tensors(model)
        ours: list[Tensor] = []
        theirs: list[Tensor] = []
        for name, (tensor, is_parameter) in _tensors(self.module).items():
            averaged = (is_parameter or self.update_buffers) and tensor.is_floating_point()
            if averaged is not averaging:
                continue
            if name not in source:
                raise KeyError(f"{name!r} of the averaged model is not in the model it averages")
            other = source[name][0].detach()
            ours.append(tensor.detach())
            theirs.append(other if other.device == tensor.device else other.to(tensor.device))
        return ours, theirs


def _tensors(model: nn.Module) -> dict[str, tuple[Tensor, bool]]:
    """Parameters and buffers by name, each tensor once, with whether it is a parameter.

    Names are those of the model itself, also if it is compiled or wrapped.
    """
    named: list[tuple[str, Tensor, bool]] = [
        (name, tensor, True) for name, tensor in model.named_parameters()
    ]
    named += [(name, tensor, False) for name, tensor in model.named_buffers()]
    return {_plain(name): (tensor, is_parameter) for name, tensor, is_parameter in named}


def _plain(name: str) -> str:
    return name.replace("_orig_mod.", "").removeprefix("module.")


def _copy(averaged: list[Tensor], source: list[Tensor]) -> None:
    if averaged:
        torch._foreach_copy_(averaged, source)


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

    def avg_func(self, averaged_param: Tensor, source_param: Tensor, steps: int) -> None:
        """Take one parameter into the mean of all seen, in place.

        Args:
            averaged_param: The mean so far.
            source_param: The parameter.
            steps: Number of calls before.
        """
        averaged_param.lerp_(source_param, self._weight(steps))

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
            raise ValueError(f"momentum must be in (0, 1), got {momentum}")
        if momentum > 0.5:
            warnings.warn(
                f"momentum {momentum} is the weight of the newest parameters, usually a small "
                "number such as 0.0002: did you mean 1 - momentum?",
                stacklevel=2,
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

    def avg_func(self, averaged_param: Tensor, source_param: Tensor, steps: int) -> None:
        """Take one parameter into its average, in place.

        Args:
            averaged_param: The average.
            source_param: The parameter.
            steps: Number of calls before.
        """
        averaged_param.lerp_(source_param, self.momentum_at(steps))

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
            raise ValueError(f"gamma must be above 0, got {gamma}")
        self.gamma = gamma

    def momentum_at(self, steps: int) -> float:
        """The weight of the newest parameters after a number of steps.

        Args:
            steps: Number of calls of :meth:`update_parameters` before.

        Returns:
            The weight.
        """
        return max(self.momentum, self.gamma / (self.gamma + steps))
