"""Free cached memory of the accelerator."""

from __future__ import annotations

import torch

from eng.registry import HOOKS
from eng.utils import override

from .hook import DataBatch, Hook
from .protocol import HookRunner
from .types import StepOutputs

__all__ = ["EmptyCacheHook"]


@HOOKS.register_module()
class EmptyCacheHook(Hook):
    """Empties the cache of the accelerator's allocator.

    Args:
        before_epoch: Whether before each epoch. Defaults to False.
        after_epoch: Whether after each epoch. Defaults to True.
        after_iter: Whether after each iteration. Defaults to False.
    """

    priority = "NORMAL"

    def __init__(
        self, before_epoch: bool = False, after_epoch: bool = True, after_iter: bool = False
    ) -> None:
        self._do_before_epoch = before_epoch
        self._do_after_epoch = after_epoch
        self._do_after_iter = after_iter

    @override
    def _before_epoch(self, runner: HookRunner, mode: str = "train") -> None:
        if self._do_before_epoch:
            _empty_cache()

    @override
    def _after_epoch(self, runner: HookRunner, mode: str = "train") -> None:
        if self._do_after_epoch:
            _empty_cache()

    @override
    def _after_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
        mode: str = "train",
    ) -> None:
        if self._do_after_iter:
            _empty_cache()


def _empty_cache() -> None:
    if torch.accelerator.is_available():
        torch.accelerator.empty_cache()
