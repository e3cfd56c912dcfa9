"""The same buffers in all processes."""

from __future__ import annotations

from torch import nn

from eng.dist import all_reduce_params, is_distributed
from eng.registry import HOOKS
from eng.utils import override

from .hook import Hook
from .protocol import HookRunner

__all__ = ["SyncBuffersHook"]


@HOOKS.register_module()
class SyncBuffersHook(Hook):
    """Averages the buffers of the model over all processes.

    It is done after each epoch of training, and before a validation that no end of an epoch
    preceded, as all are where it is trained by iterations. Buffers of whole numbers stay.
    """

    priority = "NORMAL"

    def __init__(self) -> None:
        self._is_averaged = False

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Treat buffers of a run that is resumed after an epoch as averaged: they were saved so."""
        self._is_averaged = runner.epoch > 0

    @override
    def after_train_epoch(self, runner: HookRunner) -> None:
        """Average the buffers."""
        _average(runner.model)
        self._is_averaged = True

    @override
    def before_val_epoch(self, runner: HookRunner) -> None:
        """Average the buffers unless the end of an epoch has done it."""
        if not self._is_averaged:
            _average(runner.model)
        self._is_averaged = False


def _average(model: nn.Module) -> None:
    if is_distributed():
        buffers = [b for b in model.buffers() if b.is_floating_point()]
        all_reduce_params(buffers, op="mean")
