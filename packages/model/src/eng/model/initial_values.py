"""Broadcast the initial values of a model before distributed training."""

from __future__ import annotations

import torch.distributed
from torch import nn
from torch.distributed import ProcessGroup

from eng.dist import broadcast

__all__ = ["share_initial_values"]


def share_initial_values(module: nn.Module, group: ProcessGroup | None = None) -> None:
    """Broadcast the parameters and buffers of the first process.

    When a model is sharded, each process keeps its part of its own values; without parameters to
    train, nothing synchronizes them. Different initial values would train different models.

    Args:
        module: The model.
        group: The process group. Defaults to None, all processes.
    """
    first = 0 if group is None else torch.distributed.get_global_rank(group, 0)
    for tensor in (*module.parameters(), *module.buffers()):
        # Those that are split already were distributed from their values in one process.
        if not tensor.is_meta and not hasattr(tensor, "to_local"):
            broadcast(tensor.detach(), src=first, group=group)
