"""Save and restore accumulated gradients that wait for their update."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from eng.dist import all_gather_object, all_reduce, all_reduce_params, get_world_size

__all__ = ["average_gradients", "put_gradients", "waiting_gradients"]


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Average gradients over processes, with zeros where only some have one.

    To be called in all processes. A single one is left alone.

    Args:
        parameters: The parameters, the same in each process.
    """
    trained = [each for each in parameters if each.requires_grad]
    if get_world_size() == 1 or not trained:
        return
    known = torch.tensor([each.grad is not None for each in trained], device=trained[0].device)
    flags = known.int()
    all_reduce(flags, "max")
    used = [each for each, has in zip(trained, flags.tolist(), strict=True) if has]
    for each in used:
        each.grad = torch.zeros_like(each) if each.grad is None else each.grad
    if used:
        all_reduce_params([each.grad for each in used if each.grad is not None], op="mean")


def waiting_gradients(optimizer: Optimizer) -> dict[int, Tensor | None]:
    """Copy the gradients of an optimizer's parameters to the CPU.

    Args:
        optimizer: The optimizer.

    Returns:
        Gradients by the index of their parameter over all groups, without missing gradients. A
        zero gradient, such as after ``zero_grad(set_to_none=False)``, is None: it takes no space in
        a checkpoint, but optimizers distinguish it from a missing one. Sharded gradients are the
        shard of this process.
    """
    gradients: dict[int, Tensor | None] = {}
    for index, parameter in enumerate(_list_parameters(optimizer)):
        gradient = parameter.grad
        if gradient is None:
            continue
        local = _get_local(gradient).detach()
        is_zero = not local.is_sparse and not bool(local.count_nonzero())
        # clone, since .cpu() returns a CPU tensor itself
        gradients[index] = None if is_zero else local.cpu().clone()
    return gradients


def put_gradients(optimizer: Optimizer, gradients: Mapping[int, Tensor | None]) -> str | None:
    """Restore the gradients of an optimizer's parameters, all or none, in all processes or none.

    To be called in all processes: those of another layout of shards may fit in some of them.

    Args:
        optimizer: The optimizer.
        gradients: Result of :func:`waiting_gradients`.

    Returns:
        The mismatch, None if all were restored.
    """
    parameters = _list_parameters(optimizer)
    problems = all_gather_object(_find_mismatch(parameters, gradients))
    problem = next((each for each in problems if each is not None), None)
    if problem is not None:
        return problem
    for index, gradient in gradients.items():
        parameter = parameters[index]
        if gradient is not None and gradient.is_sparse:
            parameter.grad = gradient.to(parameter)
            continue
        parameter.grad = torch.zeros_like(parameter)
        if gradient is not None:
            _get_local(parameter.grad).copy_(gradient)
    return None


def _find_mismatch(
    parameters: Sequence[nn.Parameter], gradients: Mapping[int, Tensor | None]
) -> str | None:
    for index, gradient in gradients.items():
        if index >= len(parameters):
            return f"the optimizer has {len(parameters)} parameters, not one at index {index}"
        shape = tuple(_get_local(parameters[index]).shape)
        if gradient is not None and tuple(gradient.shape) != shape:
            return (
                f"size mismatch: gradient {index} has the shape {tuple(gradient.shape)}, its "
                f"parameter {shape}"
            )
    return None


def _list_parameters(optimizer: Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _get_local(tensor: Tensor) -> Tensor:
    """Return the local shard of a tensor, sharing its memory."""
    local: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return local
