"""The values that a model has before training in several processes."""

from __future__ import annotations

import torch.distributed
from torch import nn
from torch.distributed import ProcessGroup

from eng.dist import broadcast

__all__ = ["share_initial_values"]


def share_initial_values(module: nn.Module, group: ProcessGroup | None = None) -> None:
    """Give parameters and buffers in all processes the values of the first.

    Each process keeps a part of its own values when a model is sharded, and all of them where
    nothing is trained: processes that begin with different ones would train different models.

    Args:
        module: The model.
        group: The processes. Defaults to None, all.
    """
    first = 0 if group is None else torch.distributed.get_global_rank(group, 0)
    for tensor in (*module.parameters(), *module.buffers()):
        if not tensor.is_meta:
            broadcast(tensor.detach(), src=first, group=group)
