"""Average weights for validation, testing and the saved model."""

from __future__ import annotations

import copy
import itertools
import logging
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from eng.checkpoint import RankBuffers, get_state_dict, is_sharded, load_state_dict
from eng.dl_utils import unwrap
from eng.logging import print_log
from eng.model import BaseAveragedModel
from eng.registry import HOOKS, MODELS
from eng.utils import override

from .errors import HookArgumentError
from .hook import DataBatch, Hook
from .protocol import HookRunner

__all__ = ["EMAHook"]


@HOOKS.register_module()
class EMAHook(Hook):
    """Keeps an average of the model's weights, and validates, tests and saves with it.

    In a checkpoint ``state_dict`` holds the average and ``ema_state_dict`` the weights that
    training goes on with.

    Args:
        ema_type: Name of the kind of average in ``MODELS``. Defaults to
            ``'ExponentialMovingAverage'``.
        strict_load: Whether the average of a checkpoint must fit the model exactly when a run is
            resumed. Defaults to True.
        begin_iter: Iteration at which averaging begins; before it the average is the model.
            Defaults to 0.
        begin_epoch: The same as an epoch. Defaults to 0.
        **kwargs: Arguments of the average, such as ``momentum``.

    Raises:
        HookArgumentError: If a beginning is negative, or both are given. It is a
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
                "EMAHook: begin_iter and begin_epoch cannot be set together: give one of them"
            )
        self.strict_load = strict_load
        self.begin_iter = begin_iter
        self.begin_epoch = begin_epoch
        self.ema_cfg = {"type": ema_type, **kwargs}
        #: Whether the average is in the model now, and the weights of training in its place.
        self._is_evaluating = False

    @override
    def before_run(self, runner: HookRunner) -> None:
        """Make the copy that becomes the average, unless there is one of this model.

        Raises:
            ValueError: If the model is sharded, of which there can be no copy, or if another hook
                averages the same model.
        """
        self._refuse_another(runner)
        self._make_average(runner.model)
        if hasattr(runner, "run_state"):  # a runner of somebody else may have none
            others = [each for each in getattr(runner, "hooks", []) if isinstance(each, EMAHook)]
            number = others.index(self) if self in others else 0
            name = f"ema_buffers_{number}" if number else "ema_buffers"
            runner.run_state.add(name, self._buffers, per_rank=True)

    def _refuse_another(self, runner: HookRunner) -> None:
        """Two would exchange their averages with each other, and lose the weights of training."""
        ways = [
            type(hook).before_save_checkpoint
            for hook in getattr(runner, "hooks", [])
            if isinstance(hook, EMAHook)
        ]
        if ways.count(EMAHook.before_save_checkpoint) > 1:
            raise HookArgumentError(
                "there are two EMAHooks, but a checkpoint and a validation have only one averaged "
                "model: leave one of them out"
            )

    def _make_average(self, model: nn.Module) -> None:
        # A later test(), or a resume before train(), goes on with the average that there is.
        if getattr(self, "src_model", None) is unwrap(model):
            return
        if is_sharded(model):
            raise ValueError(
                "EMAHook needs a copy of the model, which a sharded one does not allow: leave the "
                "hook out, or wrap the model by MMDistributedDataParallel"
            )
        self.src_model: Any = unwrap(model)
        defaults = {"model": self.src_model}
        self.ema_model: BaseAveragedModel = MODELS.build(self.ema_cfg, default_args=defaults)
        self._buffers = RankBuffers(self.ema_model.module)

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
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Take the weights into the average, or copy them before averaging has begun."""
        if self._ema_started(runner):
            self.ema_model.update_parameters(self.src_model)
        else:
            with torch.no_grad():
                for averaged, source in self._pairs():
                    averaged.copy_(source)

    @override
    def before_val_epoch(self, runner: HookRunner) -> None:
        """Put the average into the model."""
        self._begin_evaluation()

    @override
    def after_val_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Put the weights of training back."""
        self._end_evaluation()

    def after_interrupted_val(self, runner: HookRunner) -> None:
        """Put the weights of training back, where validation was broken off or failed."""
        self._end_evaluation()

    @override
    def before_test_epoch(self, runner: HookRunner) -> None:
        """Put the average into the model."""
        self._begin_evaluation()

    @override
    def after_test_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Put the weights of training back."""
        self._end_evaluation()

    def after_interrupted_test(self, runner: HookRunner) -> None:
        """Put the weights of training back, where testing failed."""
        self._end_evaluation()

    @override
    def before_save_checkpoint(self, runner: HookRunner, checkpoint: dict[str, Any]) -> None:
        """Save the average as the model and the weights of training beside it."""
        self._make_average(runner.model)  # where a run is saved before it has begun
        averaged = get_state_dict(self.ema_model)
        checkpoint["ema_state_dict"] = averaged
        self._swap_ema_state_dict(checkpoint)

    @override
    def after_load_checkpoint(self, runner: HookRunner, checkpoint: dict[str, Any]) -> None:
        """Take over the average and put the weights of training in their place."""
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
                "The checkpoint has no averaged weights: averaging begins with its model.",
                logger="current",
                level=logging.WARNING,
            )
        # The same report as for the model itself, which is loaded next: once is enough.
        strict = self.strict_load and runner.is_resuming
        state = checkpoint["state_dict"]
        load_state_dict(self.ema_model.module, state, strict, logger="silent")

    def _ema_started(self, runner: HookRunner) -> bool:
        return runner.iter + 1 >= self.begin_iter and runner.epoch + 1 >= self.begin_epoch

    def _pairs(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Parameters and buffers of the average and of the model."""
        average: nn.Module = self.ema_model.module
        source: nn.Module = self.src_model
        return zip(
            itertools.chain(average.parameters(), average.buffers()),
            itertools.chain(source.parameters(), source.buffers()),
            strict=True,
        )

    def _begin_evaluation(self) -> None:
        if not self._is_evaluating:  # it is, where a loop of somebody else's failed in between
            self._swap_ema_parameters()
        self._is_evaluating = True

    def _end_evaluation(self) -> None:
        if self._is_evaluating:
            self._swap_ema_parameters()
        self._is_evaluating = False

    @torch.no_grad()
    def _swap_ema_parameters(self) -> None:
        for averaged, source in self._pairs():
            kept = source.clone()
            source.copy_(averaged)
            averaged.copy_(kept)

    @staticmethod
    def _swap_ema_state_dict(checkpoint: dict[str, Any]) -> None:
        """Exchange weights of the model with those of its average, named ``module.<name>``."""
        state, averaged = checkpoint["state_dict"], checkpoint["ema_state_dict"]
        for name, value in list(state.items()):
            inside = f"module.{name}"
            if inside in averaged:
                state[name], averaged[inside] = averaged[inside], value
