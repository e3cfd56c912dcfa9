"""The same buffers in all processes."""

from __future__ import annotations

from typing_extensions import override

from eng.dist import all_reduce_params, is_distributed
from eng.registry import HOOKS

from .hook import Hook
from .protocol import HookRunner

__all__ = ["SyncBuffersHook"]


@HOOKS.register_module()
class SyncBuffersHook(Hook):
    """Averages the buffers of the model over all processes after each epoch of training."""

    priority = "NORMAL"

    @override
    def after_train_epoch(self, runner: HookRunner) -> None:
        """Average the buffers."""
        if is_distributed():
            buffers = [b for b in runner.model.buffers() if b.is_floating_point()]
            all_reduce_params(buffers, op="mean")
