"""Numbers that differ if the bits of tensors differ."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["tensor_digest"]

#: An odd number without a pattern in its bits (2^64 divided by the golden ratio, signed).
_STEP = -7046029254386353131


@torch.no_grad()
def tensor_digest(tensor: Tensor) -> Tensor:
    """Compute a number that differs if the bits of a tensor of this process differ.

    Of a sharded tensor it is that of the shard of this process. Not collision-resistant against
    deliberate attempts.

    Args:
        tensor: The tensor.

    Returns:
        The number on the device of the tensor, which is not waited for: its 64-bit words, each
        times a number of its place, added up without a carry.
    """
    local: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    data = local.detach().contiguous().reshape(-1).view(torch.uint8)
    # In new memory, which begins where a word may.
    words = torch.cat([data, data.new_zeros(-len(data) % 8)]).view(torch.int64)
    places = torch.arange(1, len(words) + 1, device=words.device)
    return (words * (places * _STEP)).sum()
