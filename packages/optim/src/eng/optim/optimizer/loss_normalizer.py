"""Average losses over all samples or tokens of an update, in all its iterations and processes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.optim import Optimizer

from eng.dist import all_reduce, broadcast_object_list, get_comm_device, get_world_size
from eng.utils import ArgumentTypeError, ArgumentValueError, DataBatch, StateDict

from .batch_counts import count_samples, count_tokens

__all__ = ["LossNormalizer", "NormalizerConfig", "normalizer_of"]

#: ``'samples'``, ``'tokens'``, a dict with one of these as ``type``, or a function of a batch.
NormalizerConfig: TypeAlias = "str | Mapping[str, Any] | Callable[[DataBatch], int | Tensor]"

_COUNTERS: dict[str, Callable[..., int | Tensor]] = {
    "samples": count_samples,
    "tokens": count_tokens,
}


def normalizer_of(given: NormalizerConfig | None) -> LossNormalizer | None:
    """Make the normalizer of an optimizer wrapper.

    Args:
        given: What losses are averaged over. None: iterations.

    Returns:
        The normalizer, or None.

    Raises:
        TypeError: If it is of another type.
        ValueError: If its name or an argument is unknown.
    """
    if given is None:
        return None
    if callable(given):
        return LossNormalizer(given)
    if not isinstance(given, (str, Mapping)):
        raise ArgumentTypeError(
            "loss_normalizer must be 'samples', 'tokens', a dict with one of them as type, or a "
            f"function of a batch, not {type(given).__name__}"
        )
    settings = {"type": given} if isinstance(given, str) else dict(given)
    kind = settings.pop("type", None)
    if kind not in _COUNTERS:
        raise ArgumentValueError(
            f"loss_normalizer must be 'samples' or 'tokens', or a function, not {kind!r}"
        )
    known = ("key", "ignore_index", "shift") if kind == "tokens" else ()
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise ArgumentValueError(
            f"loss_normalizer={kind!r} has no setting {unknown}; it has {list(known)}"
        )
    return LossNormalizer(partial(_COUNTERS[kind], **settings))


class LossNormalizer:
    """Weighs mean losses by what they are means of, and divides gradients by the total.

    While gradients are accumulated the total is unknown: losses are multiplied by their counts, in
    units of a power of two near the first one, which rounds nothing, and gradients are divided by
    the total when they are complete.

    Args:
        count: Counts what the loss of a preprocessed batch is the mean of, such as its samples.
    """

    def __init__(self, count: Callable[[DataBatch], int | Tensor]) -> None:
        self.count = count
        self._unit = 0.0
        self.reset()

    def reset(self) -> None:
        """Begin another update."""
        self._total: int | Tensor = 0

    def weigh(self, loss: Tensor, count: int | Tensor) -> Tensor:
        """Add a loss, and return what to backpropagate.

        Args:
            loss: The mean loss of a batch.
            count: What it is the mean of.

        Returns:
            The loss times the count, in units of its own.
        """
        if not self._unit:
            self._agree_on_unit(count)
        self._total = self._total + count
        return loss * (count / self._unit)

    def divide(self, optimizer: Optimizer) -> None:
        """Divide accumulated gradients, averaged over processes, by the total of all processes.

        To be called in all processes.

        Args:
            optimizer: The optimizer whose parameters have the gradients.
        """
        total = torch.as_tensor(self._total, dtype=torch.float64).clone()
        world_size = get_world_size()
        if world_size > 1:
            total = total.to(get_comm_device())
            all_reduce(total)
        factor = world_size * self._unit / total.clamp(min=1)
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    _multiply(parameter.grad, factor)
        self.reset()

    def state_dict(self) -> StateDict:
        """Return the total so far, of this process only, and the unit."""
        return {"total": int(self._total), "unit": self._unit}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue an update.

        Args:
            state: Result of :meth:`state_dict`.
        """
        self._total, self._unit = state["total"], state["unit"]

    def _agree_on_unit(self, count: int | Tensor) -> None:
        """Choose a unit in which the first count is about 1. All processes use the same."""
        first = max(1, int(count))
        boxes = [2.0 ** round(math.log2(first))]
        broadcast_object_list(boxes)
        self._unit = boxes[0]


def _multiply(gradient: Tensor, factor: Tensor) -> None:
    local = gradient.to_local() if hasattr(gradient, "to_local") else gradient
    if local.is_sparse:
        local.mul_(float(factor))
    else:
        local.mul_(factor.to(local.device, local.dtype))
