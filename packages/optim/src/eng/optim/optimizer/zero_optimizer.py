"""Optimizer whose state is sharded over processes."""

from __future__ import annotations

from typing import Any

import torch
from torch.distributed.optim import ZeroRedundancyOptimizer as _ZeroRedundancyOptimizer
from torch.optim.optimizer import ParamsT

from eng.dist import is_main_process
from eng.utils import StateDict, override

__all__ = ["ZeroRedundancyOptimizer"]


class ZeroRedundancyOptimizer(_ZeroRedundancyOptimizer):
    """Shards optimizer states: each process updates a part of the parameters for all.

    See :class:`torch.distributed.optim.ZeroRedundancyOptimizer`. The process group must be
    initialized.

    Args:
        params: The parameters, or groups of them.
        optimizer_type: Name of the optimizer in :mod:`torch.optim`.
        **kwargs: Its arguments.

    Raises:
        AttributeError: If the optimizer is unknown.
    """

    def __init__(self, params: ParamsT, optimizer_type: str, **kwargs: Any) -> None:
        kind = getattr(torch.optim, optimizer_type, None)
        if not isinstance(kind, type):
            raise AttributeError(f"torch.optim has no optimizer {optimizer_type!r}")
        super().__init__(params, optimizer_class=kind, **kwargs)

    @override
    def state_dict(self) -> StateDict:
        """Gather the state of all processes in the main process. Must be called in all.

        Returns:
            The state; an empty dict in other processes.
        """
        self.consolidate_state_dict(to=0)
        return super().state_dict() if is_main_process() else {}
