"""Detect changes of a model's weights without a copy of them."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

__all__ = ["fingerprint"]

#: An odd number without a pattern in its bits (2^64 divided by the golden ratio, signed).
_STEP = -7046029254386353131


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
    sums = [_sum_words(tensor) for tensor in tensors]
    by_device: dict[torch.device, list[int]] = {}
    for device in dict.fromkeys(each.device for each in sums):
        by_device[device] = torch.stack([each for each in sums if each.device == device]).tolist()
    return [number for numbers in by_device.values() for number in numbers]


def _sum_words(tensor: Tensor) -> Tensor:
    """The 64-bit words of a tensor, each times a number of its place, added up without a carry."""
    local: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    data = local.detach().contiguous().reshape(-1).view(torch.uint8)
    # In new memory, which begins where a word may.
    words = torch.cat([data, data.new_zeros(-len(data) % 8)]).view(torch.int64)
    places = torch.arange(1, len(words) + 1, device=words.device)
    return (words * (places * _STEP)).sum()
