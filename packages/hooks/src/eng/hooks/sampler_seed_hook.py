"""A new order of samples for each epoch."""

from __future__ import annotations

from typing import Any

from eng.registry import HOOKS

from .hook import Hook
from .protocol import HookRunner

__all__ = ["DistSamplerSeedHook"]


@HOOKS.register_module()
class DistSamplerSeedHook(Hook):
    """Tells the sampler which epoch begins, on which the order of its samples depends."""

    priority = "NORMAL"

    def before_train_epoch(self, runner: HookRunner) -> None:
        """Set the epoch of the sampler, or of the sampler of the batch sampler.

        Args:
            runner: The runner.
        """
        loader = runner.train_dataloader
        samplers: tuple[Any, ...] = (loader.sampler, getattr(loader.batch_sampler, "sampler", None))
        for sampler in samplers:
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(runner.epoch)
                return
