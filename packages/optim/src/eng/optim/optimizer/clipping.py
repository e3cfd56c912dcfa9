"""Clip gradients whose parameters are on several meshes of processes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import utils

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh

__all__ = ["clip_grad_norm"]


def clip_grad_norm(
    parameters: Iterable[nn.Parameter],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Clip gradients as :func:`torch.nn.utils.clip_grad_norm_` does, also on several meshes.

    torch refuses to norm tensors of several meshes, or sharded ones and others, together. Here the
    norm of all is that of the norms of each mesh.

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
    by_mesh: dict[DeviceMesh | None, list[nn.Parameter]] = {}
    for parameter in parameters:
        if parameter.grad is not None:
            mesh = getattr(parameter.grad, "device_mesh", None)
            by_mesh.setdefault(mesh, []).append(parameter)
    if len(by_mesh) < 2:
        every = next(iter(by_mesh.values()), [])
        return utils.clip_grad_norm_(every, max_norm, norm_type, error_if_nonfinite, foreach)
    norms: list[Tensor] = []
    for group in by_mesh.values():
        grads = [parameter.grad for parameter in group if parameter.grad is not None]
        norm: Any = utils.get_total_norm(grads, norm_type, foreach=foreach)
        norms.append(norm.full_tensor() if hasattr(norm, "full_tensor") else norm)
    total = torch.linalg.vector_norm(
        torch.stack([norm.to(norms[0].device) for norm in norms]), norm_type
    )
    if error_if_nonfinite and not total.isfinite():
        raise RuntimeError(
            f"the norm of order {norm_type} of the gradients is {total.item()}, so that they "
            "cannot be clipped"
        )
    for mesh, group in by_mesh.items():
        utils.clip_grads_with_norm_(
            group, max_norm, total if mesh is None else _replicate(total, mesh), foreach
        )
    return total


def _replicate(value: Tensor, mesh: DeviceMesh) -> Tensor:
    """Make a number that all processes have one of a mesh."""
    from torch.distributed.tensor import DTensor, Replicate  # slow to import

    whole: Tensor = DTensor.from_local(value, mesh, [Replicate()] * mesh.ndim, run_check=False)
    return whole
