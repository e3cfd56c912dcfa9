"""Average weights for validation, testing and the saved model."""

from __future__ import annotations

import copy
import itertools
import logging
import sys
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from eng.checkpoint import RankBuffers, get_state_dict, load_state_dict
from eng.dl_utils import unwrap
from eng.logging import print_log
from eng.model import BaseAveragedModel
from eng.registry import HOOKS, MODELS
from eng.utils import StateDict, override

from .errors import HookArgumentError
from .hook import DataBatch, Hook
from .protocol import HookRunner
from .types import StepOutputs

__all__ = ["EMAHook"]


@HOOKS.register_module()
class EMAHook(Hook):
    """Keeps an average of the model's weights, and validates, tests and saves with it.

    In a checkpoint ``state_dict`` has the average and ``ema_state_dict`` the weights from which
    training resumes. Of a model sharded by :class:`eng.model.MMFullyShard` each process averages
    its own shards.

    Args:
        ema_type: Name of the kind of average in ``MODELS``. Defaults to
            ``'ExponentialMovingAverage'``.
        strict_load: Whether missing or unexpected keys of the average are an error when a run is
            resumed. Defaults to True.
        begin_iter: Iteration at which averaging begins; before it the average is the model.
            Defaults to 0.
        begin_epoch: The same as an epoch. Defaults to 0.
        **kwargs: Arguments of the average, such as ``momentum``.

    Raises:
        HookArgumentError: If a beginning is negative, or both are set. It is a
            :class:`ValueError`.
    """

    priority = "NORMAL"

    def __init__(
        self,
        ema_type: str = "ExponentialMovingAverage",
        strict_load: bool = True,
        begin_iter: int = 0,
        begin_epoch: int = 0,
        **kwargs: Any,
    ) -> None:
        if begin_iter < 0 or begin_epoch < 0:
            raise HookArgumentError(
                f"EMAHook: begin_iter and begin_epoch must be at least 0, "
                f"got {begin_iter} and {begin_epoch}"
            )
        if begin_iter and begin_epoch:
            raise HookArgumentError(
                "EMAHook: begin_iter and begin_epoch cannot be set together: set one of them"
            )
        self.strict_load = strict_load
        self.begin_iter = begin_iter
        self.begin_epoch = begin_epoch
        self.ema_cfg = {"type": ema_type, **kwargs}
        #: Whether model and average are swapped now.
        self._is_evaluating = False

    @override
    def before_run(self, runner: HookRunner) -> None:
        """Make the copy that becomes the average, unless it exists for this model.

        Raises:
            ValueError: If the model is sharded by ``FullyShardedDataParallel``, which cannot be
                copied, or another hook averages the same model.
        """
        self._refuse_another(runner)
        self._make_average(runner.model)
        if hasattr(runner, "run_state"):  # a third-party runner may not have it
            others = [each for each in getattr(runner, "hooks", []) if isinstance(each, EMAHook)]
            number = others.index(self) if self in others else 0
            name = f"ema_buffers_{number}" if number else "ema_buffers"
            runner.run_state.add(name, self._buffers, per_rank=True)

    def _refuse_another(self, runner: HookRunner) -> None:
        """Refuse a second hook: both would swap averages, and lose the weights of training."""
        ways = [
            type(hook).before_save_checkpoint
            for hook in getattr(runner, "hooks", [])
            if isinstance(hook, EMAHook)
        ]
        if ways.count(EMAHook.before_save_checkpoint) > 1:
            raise HookArgumentError(
                "found two EMAHooks, but a checkpoint and a validation have only one averaged "
                "model: remove one of them"
            )

    def _make_average(self, model: nn.Module) -> None:
        # A later test(), or a resume before train(), continues with the existing average.
        if getattr(self, "src_model", None) is unwrap(model):
            return
        if _list_parts(model, "FullyShardedDataParallel"):
            raise ValueError(
                "EMAHook needs a copy of the model, and one sharded by FullyShardedDataParallel "
                "cannot be copied: shard it by MMFullyShard, or remove the hook"
            )
        self.src_model = unwrap(model)
        defaults = {"model": self.src_model}
        self.ema_model: BaseAveragedModel = MODELS.build(self.ema_cfg, default_args=defaults)
        self._buffers = RankBuffers(self.ema_model.module)
        self._sharded_parts = _list_parts(self.src_model, "FSDPModule")

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Check that averaging begins before training ends.

        Raises:
            ValueError: If it does not.
        """
        for name, begin, last in (
            ("begin_epoch", self.begin_epoch, runner.max_epochs),
            ("begin_iter", self.begin_iter, runner.max_iters),
        ):
            if last is not None and begin > last:
                raise HookArgumentError(
                    f"EMAHook: {name}={begin} is after the end of training, {last}"
                )
        self._end_evaluation()  # one that failed before

    @override
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Update the average with the weights, or copy them before averaging begins."""
        if self._ema_started(runner):
            self.ema_model.update_parameters(self.src_model)
        else:
            with torch.no_grad():
                for averaged, source in self._zip_tensors():
                    averaged.copy_(source)

    @override
    def before_val_epoch(self, runner: HookRunner) -> None:
        """Swap the average into the model."""
        self._begin_evaluation()

    @override
    def after_val_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Restore the weights of training."""
        self._end_evaluation()

    def after_interrupted_val(self, runner: HookRunner) -> None:
        """Restore the weights of training after an interrupted or failed validation."""
        self._end_evaluation()

    @override
    def before_test_epoch(self, runner: HookRunner) -> None:
        """Swap the average into the model."""
        self._begin_evaluation()

    @override
    def after_test_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Restore the weights of training."""
        self._end_evaluation()

    def after_interrupted_test(self, runner: HookRunner) -> None:
        """Restore the weights of training after a failed test."""
        self._end_evaluation()

    @override
    def before_save_checkpoint(self, runner: HookRunner, checkpoint: StateDict) -> None:
        """Save the average as the model and the weights of training beside it."""
        self._make_average(runner.model)  # for a run that is saved before it begins
        averaged = get_state_dict(self.ema_model)
        checkpoint["ema_state_dict"] = averaged
        self._swap_ema_state_dict(checkpoint)

    @override
    def after_load_checkpoint(self, runner: HookRunner, checkpoint: StateDict) -> None:
        """Load the average, and the weights of training into the model."""
        self._make_average(runner.model)
        self._end_evaluation()
        if "ema_state_dict" in checkpoint and runner.is_resuming:
            checkpoint["ema_state_dict"] = copy.copy(checkpoint["ema_state_dict"])
            checkpoint["state_dict"] = copy.copy(checkpoint["state_dict"])
            self._swap_ema_state_dict(checkpoint)
            averaged = checkpoint["ema_state_dict"]
            load_state_dict(self.ema_model, averaged, strict=self.strict_load)
            return
        if runner.is_resuming:
            print_log(
                "The checkpoint has no averaged weights: averaging starts from its model.",
                logger="current",
                level=logging.WARNING,
            )
        # Silent, since the model itself is loaded next, with the same report.
        strict = self.strict_load and runner.is_resuming
        state = checkpoint["state_dict"]
        load_state_dict(self.ema_model.module, state, strict, logger="silent")

    def _zip_tensors(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Parameters and buffers of the average and of the model."""
        average, source = self.ema_model.module, self.src_model
        for part in self._sharded_parts:
            # A forward pass without a backward pass leaves parts of a sharded model gathered.
            part.reshard()
        return zip(
            itertools.chain(average.parameters(), average.buffers()),
            itertools.chain(source.parameters(), source.buffers()),
            strict=True,
        )

    def _begin_evaluation(self) -> None:
        if not self._is_evaluating:  # it is after a third-party loop failed in between
            self._swap_ema_parameters()
        self._is_evaluating = True

    def _end_evaluation(self) -> None:
        if self._is_evaluating:
            self._swap_ema_parameters()
        self._is_evaluating = False

    # Subclasses in other libraries override and call those below by their names.

    def _ema_started(self, runner: HookRunner) -> bool:
        return runner.iter + 1 >= self.begin_iter and runner.epoch + 1 >= self.begin_epoch

    @torch.no_grad()
    def _swap_ema_parameters(self) -> None:
        for averaged, source in self._zip_tensors():
            kept = source.clone()
            source.copy_(averaged)
            averaged.copy_(kept)

    @staticmethod
    def _swap_ema_state_dict(checkpoint: StateDict) -> None:
        """Swap weights of the model with those of its average, named ``module.<name>``."""
        state, averaged = checkpoint["state_dict"], checkpoint["ema_state_dict"]
        for name, value in list(state.items()):
            inside = f"module.{name}"
            if inside in averaged:
                state[name], averaged[inside] = averaged[inside], value


def _list_parts(model: nn.Module, kind: str) -> list[Any]:
    """List the parts of a model that are sharded by a class of torch."""
    found = getattr(sys.modules.get("torch.distributed.fsdp"), kind, None)
    return [] if found is None else [part for part in model.modules() if isinstance(part, found)]
