"""Clip gradients whose parameters are on several meshes of processes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import utils

from eng.dist import all_reduce

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh

__all__ = ["clip_grad_norm"]

#: A mesh, None for gradients that are not sharded, and axes of it.
Axes: TypeAlias = "tuple[DeviceMesh | None, tuple[int, ...]]"


def clip_grad_norm(
    parameters: Iterable[nn.Parameter],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Clip gradients as :func:`torch.nn.utils.clip_grad_norm_` does, also on several meshes.

    torch refuses to norm tensors of several meshes, or sharded ones and others, together. Here each
    process norms its shards, and the processes that share a mesh add up.

    Args:
        parameters: The parameters. Those without a gradient are left out.
        max_norm: Maximum norm of all gradients together.
        norm_type: Order of the norm. Defaults to 2.
        error_if_nonfinite: Whether to raise an error for a norm that is NaN or infinite. Defaults
            to False.
        foreach: Whether torch processes many tensors at once. Defaults to None, where it can.

    Returns:
        The norm before clipping.

    Raises:
        RuntimeError: If the norm is NaN or infinite and ``error_if_nonfinite`` is set.
    """
    trained = [parameter for parameter in parameters if parameter.grad is not None]
    if not any(hasattr(parameter.grad, "device_mesh") for parameter in trained):
        return utils.clip_grad_norm_(trained, max_norm, norm_type, error_if_nonfinite, foreach)
    grads = [parameter.grad for parameter in trained if parameter.grad is not None]
    norms = [
        _norm_of(group, axes, float(norm_type), foreach)
        for axes, group in _group_by_shards(grads).items()
    ]
    total = torch.linalg.vector_norm(
        torch.stack([norm.to(norms[0].device) for norm in norms]), norm_type
    )
    if error_if_nonfinite and not total.isfinite():
        raise RuntimeError(
            f"the norm of order {norm_type} of the gradients is {total.item()}, so that they "
            "cannot be clipped"
        )
    factor = torch.clamp(max_norm / (total + 1e-6), max=1.0)  # as torch does
    for grad in grads:
        _local_of(grad).mul_(factor.to(grad.device))
    return total


def _group_by_shards(grads: Iterable[Tensor]) -> dict[Axes, list[Tensor]]:
    """Group gradients by the mesh and its axes that they are sharded over."""
    groups: dict[Axes, list[Tensor]] = {}
    for grad in grads:
        mesh = getattr(grad, "device_mesh", None)
        placements = getattr(grad, "placements", ())
        if any(each.is_partial() for each in placements):
            raise RuntimeError("gradients that are not reduced yet cannot be clipped")
        axes = tuple(axis for axis, each in enumerate(placements) if not each.is_replicate())
        groups.setdefault((mesh, axes), []).append(grad)
    return groups


def _norm_of(grads: list[Tensor], place: Axes, order: float, foreach: bool | None) -> Tensor:
    """Compute the norm of gradients that are sharded over the same axes of a mesh.

    torch's own norm fails on shards without elements.
    """
    local = [each for each in map(_local_of, grads) if each.numel()]
    norm = utils.get_total_norm(local, order, foreach=foreach) if local else None
    device = _local_of(grads[0]).device
    shared = torch.zeros((), device=device) if norm is None else norm.to(device).float()
    mesh, axes = place
    if mesh is None or not axes:
        return shared
    is_largest = math.isinf(order)
    shared = shared if is_largest else shared**order
    for axis in axes:
        all_reduce(shared, "max" if is_largest else "sum", mesh.get_group(axis))
    return shared if is_largest else shared ** (1 / order)


def _local_of(tensor: Tensor) -> Tensor:
    """Return the shard of this process, sharing its memory."""
    local: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return local
