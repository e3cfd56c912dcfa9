"""Detect changes of a model's weights without a copy of them."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from eng.checkpoint import tensor_digest

__all__ = ["fingerprint"]


@torch.no_grad()
def fingerprint(model: nn.Module) -> list[int]:
    """Compute numbers that differ if the bits of a parameter or buffer of this process differ.

    Of a sharded model they are those of the shards of this process. Not collision-resistant
    against deliberate attempts.

    Args:
        model: The model.

    Returns:
        A number for each tensor. The device is waited for once.
    """
    tensors = itertools.chain(model.parameters(), model.buffers())
    sums = [tensor_digest(tensor) for tensor in tensors]
    by_device: dict[torch.device, list[int]] = {}
    for device in dict.fromkeys(each.device for each in sums):
        by_device[device] = torch.stack([each for each in sums if each.device == device]).tolist()
    return [number for numbers in by_device.values() for number in numbers]
