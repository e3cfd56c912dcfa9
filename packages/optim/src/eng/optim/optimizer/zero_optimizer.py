"""An optimizer whose states are shared out over processes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch.distributed.optim import ZeroRedundancyOptimizer as _ZeroRedundancyOptimizer

from eng.dist import is_main_process
from eng.utils import override

__all__ = ["ZeroRedundancyOptimizer"]


class ZeroRedundancyOptimizer(_ZeroRedundancyOptimizer):
    """Keeps in each process the states of a part of the parameters, which it updates for all.

    See :class:`torch.distributed.optim.ZeroRedundancyOptimizer`. The processes must have been
    joined.

    Args:
        params: The parameters, or groups of them.
        optimizer_type: Name of the optimizer in :mod:`torch.optim`.
        **kwargs: Its arguments.

    Raises:
        AttributeError: If there is no such optimizer.
    """

    def __init__(self, params: Iterable[Any], optimizer_type: str, **kwargs: Any) -> None:
        kind = getattr(torch.optim, optimizer_type, None)
        if not isinstance(kind, type):
            raise AttributeError(f"torch.optim has no optimizer {optimizer_type!r}")
        super().__init__(params, optimizer_class=kind, **kwargs)

    @override
    def state_dict(self) -> dict[str, Any]:
        """The state of all processes, in the first one. To be called in all.

        Returns:
            The state; nothing in other processes.
        """
        self.consolidate_state_dict(to=0)
        return super().state_dict() if is_main_process() else {}
