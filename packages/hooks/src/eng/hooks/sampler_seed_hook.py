"""A new order of samples for each epoch."""

from __future__ import annotations

from eng.dataset import sampler_with
from eng.registry import HOOKS
from eng.utils import override

from .hook import Hook
from .protocol import HookRunner

__all__ = ["DistSamplerSeedHook"]


@HOOKS.register_module()
class DistSamplerSeedHook(Hook):
    """Sets the epoch of the sampler, on which the order of its samples depends."""

    priority = "NORMAL"

    @override
    def before_train_epoch(self, runner: HookRunner) -> None:
        """Set the epoch of the sampler, or of the sampler of the batch sampler."""
        sampler = sampler_with(getattr(runner.train_loop, "dataloader", None), "set_epoch")
        if sampler is not None:
            sampler.set_epoch(runner.epoch)
