"""Gradients that wait for their update, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

__all__ = ["put_gradients", "waiting_gradients"]


def waiting_gradients(optimizer: Optimizer) -> dict[int, Tensor | None]:
    """Copy the gradients of an optimizer's parameters to the CPU.

    Args:
        optimizer: The optimizer.

    Returns:
        Gradients by the place of their parameter over all groups, without parameters that have
        none. None stands for one that is zero, as ``zero_grad(set_to_none=False)`` leaves it: it
        needs no room in a checkpoint, but an optimizer treats it differently from a missing one.
        Of a sharded gradient the shard of this process.
    """
    gradients: dict[int, Tensor | None] = {}
    for place, parameter in enumerate(_parameters_of(optimizer)):
        gradient = parameter.grad
        if gradient is None:
            continue
        local = _local(gradient).detach()
        is_zero = not local.is_sparse and not bool(local.count_nonzero())
        # clone, since .cpu() of a tensor of the CPU is the tensor itself
        gradients[place] = None if is_zero else local.cpu().clone()
    return gradients


def put_gradients(optimizer: Optimizer, gradients: Mapping[int, Tensor | None]) -> str | None:
    """Give the parameters of an optimizer their gradients back, all or none.

    Args:
        optimizer: The optimizer.
        gradients: What :func:`waiting_gradients` returned.

    Returns:
        What does not fit; None if all of them were put back.
    """
    parameters = _parameters_of(optimizer)
    for place, gradient in gradients.items():
        if place >= len(parameters):
            return f"the optimizer has {len(parameters)} parameters, no number {place}"
        shape = tuple(_local(parameters[place]).shape)
        if gradient is not None and tuple(gradient.shape) != shape:
            return f"gradient {place} is of shape {tuple(gradient.shape)}, its parameter {shape}"
    for place, gradient in gradients.items():
        parameter = parameters[place]
        if gradient is not None and gradient.is_sparse:
            parameter.grad = gradient.to(parameter)
            continue
        parameter.grad = torch.zeros_like(parameter)
        if gradient is not None:
            _local(parameter.grad).copy_(gradient)
    return None


def _parameters_of(optimizer: Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _local(tensor: Any) -> Tensor:
    """The part of a tensor that is in this process, which shares memory with the whole."""
    local: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return local
