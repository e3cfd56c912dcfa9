"""Functions that each process of tests in several processes runs."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Replicate, Shard, distribute_tensor

from eng.optim import OptimWrapper

SHAPES = [(8, 3), (5,), (4, 4), (6, 2)]


def make_gradients() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator) for shape in SHAPES]


def clip(each: list[dict[str, float]]) -> list[tuple[float, list[list[float]]]]:
    """Clip gradients by each settings."""
    return [clip_by(settings) for settings in each]


def clip_by(settings: dict[str, float]) -> tuple[float, list[list[float]]]:
    """Clip gradients on two meshes and on none: the norm, and the gradients as a whole."""
    world_size = dist.get_world_size()
    flat = init_device_mesh("cpu", (world_size,))
    square = init_device_mesh("cpu", (1, world_size), mesh_dim_names=("replicate", "shard"))
    places = [(flat, [Shard(0)]), None, (square, [Replicate(), Shard(0)]), (flat, [Shard(0)])]
    parameters = []
    for place, grad in zip(places, make_gradients(), strict=True):
        whole = grad if place is None else distribute_tensor(grad, *place)
        parameters.append(nn.Parameter(torch.zeros_like(whole)))
        parameters[-1].grad = whole
    wrapper = OptimWrapper(torch.optim.SGD(parameters, lr=1.0), clip_grad=settings)
    wrapper.step()
    moved = [p.full_tensor() if hasattr(p, "full_tensor") else p for p in parameters]
    norm = wrapper.message_hub.get_scalar("train/grad_norm").current()
    return float(norm), [(-each).flatten().tolist() for each in moved]
