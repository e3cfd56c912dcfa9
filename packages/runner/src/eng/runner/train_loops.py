"""Training by epochs and by iterations."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.utils.data import DataLoader

from eng.dataset import sampler_with
from eng.registry import LOOPS

from .base_loop import BaseLoop
from .data_position import EpochIterator, reseed, samples_per_step, seek
from .errors import RunnerConfigError
from .random_state import preserved_random_state

if TYPE_CHECKING:
    from .runner import Runner

__all__ = ["EpochBasedTrainLoop", "IterBasedTrainLoop"]

Intervals = list[tuple[int, int]] | None


class _TrainLoop(BaseLoop):
    """What both training loops share: where they are, and when they validate.

    Args:
        runner: The runner.
        dataloader: The data loader or its config.
        val_begin: First epoch or iteration that may be validated.
        val_interval: Epochs or iterations between two validations.
        dynamic_intervals: Pairs of an epoch or iteration and the interval from there on.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict[str, Any],
        val_begin: int,
        val_interval: int,
        dynamic_intervals: Intervals,
    ) -> None:
        super().__init__(runner, dataloader)
        self._epoch = 0
        self._iter = 0
        self.val_begin = val_begin
        self.val_interval = val_interval
        self.dynamic_milestones, self.dynamic_intervals = _split_intervals(
            val_interval, dynamic_intervals
        )
        #: Set by a hook to end training after the present epoch or iteration.
        self.stop_training = False
        #: Whether validation of the last epoch or iteration is still to be done after a resume.
        self._validation_pending = False
        visualizer = getattr(runner, "visualizer", None)
        meta = getattr(self.dataloader.dataset, "metainfo", None)
        if visualizer is not None and meta is not None:
            visualizer.dataset_meta = meta

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self._epoch

    @property
    def iter(self) -> int:
        """Iterations done."""
        return self._iter

    def state_dict(self, epoch: int, iteration: int) -> dict[str, Any]:
        """Where the loop is, for a checkpoint.

        Args:
            epoch: Epochs done, as the checkpoint counts them.
            iteration: Iterations done.

        Returns:
            Plain numbers.
        """
        return {
            "epoch": epoch,
            "iter": iteration,
            "sampler_seed": getattr(sampler_with(self.dataloader, "seed"), "seed", None),
            "validated": not self._validation_pending,
        }

    def _load_common(self, state: dict[str, Any]) -> None:
        """What both loops take over from the state of another one."""
        self._iter = state["iter"]
        self._validation_pending = not state.get("validated", True)
        if state.get("sampler_seed") is not None:
            reseed(self.dataloader, state["sampler_seed"])

    def _validate_when_due(self, done: int) -> None:
        """Validate after a number of epochs or iterations if it is time to.

        Training draws the same random numbers whether and how often it is validated.
        """
        current = next(
            interval
            for milestone, interval in zip(
                reversed(self.dynamic_milestones), reversed(self.dynamic_intervals), strict=True
            )
            if done >= milestone
        )
        self.val_interval = current
        loop = self.runner.val_loop
        if loop is not None and done >= self.val_begin and done % current == 0:
            with preserved_random_state():
                loop.run()


@LOOPS.register_module()
class EpochBasedTrainLoop(_TrainLoop):
    """Trains for a number of epochs.

    Args:
        runner: The runner.
        dataloader: The data loader or its config.
        max_epochs: Number of epochs.
        val_begin: First epoch after which it may be validated, from 1. Defaults to 1.
        val_interval: Epochs between two validations. Defaults to 1.
        dynamic_intervals: Pairs of an epoch and the interval from there on. Defaults to None.

    Raises:
        RunnerConfigError: If ``max_epochs`` is no whole number of at least 1.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict[str, Any],
        max_epochs: int,
        val_begin: int = 1,
        val_interval: int = 1,
        dynamic_intervals: Intervals = None,
    ) -> None:
        super().__init__(runner, dataloader, val_begin, val_interval, dynamic_intervals)
        self._max_epochs = _whole("max_epochs", max_epochs)
        self._max_iters = self._max_epochs * len(self.dataloader)
        # An iteration of the present epoch, and the samples of it that had been used by then.
        self._mark = (0, 0)
        self._batches_to_drop = 0

    @property
    def max_epochs(self) -> int:
        """Epochs of the whole training."""
        return self._max_epochs

    @property
    def max_iters(self) -> int:
        """Iterations of the whole training."""
        return self._max_iters

    def run(self) -> nn.Module:
        """Train.

        Returns:
            The model.
        """
        self.runner.call_hook("before_train")
        if self._validation_pending:
            self._validation_pending = False
            self._validate_when_due(self._epoch)
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._validate_when_due(self._epoch)
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_epoch(self) -> None:
        """Train for one epoch, or for what is left of it after a resume."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        batches = itertools.islice(self.dataloader, self._batches_to_drop, None)
        first_batch = self._mark[1] // samples_per_step(self.dataloader)
        for idx, data_batch in enumerate(batches, first_batch):
            self.run_iter(idx, data_batch)
        self._batches_to_drop = 0
        self._validation_pending = True
        self.runner.call_hook("after_train_epoch")
        self._validation_pending = False
        self._epoch += 1
        self._mark = (self._iter, 0)

    def run_iter(self, idx: int, data_batch: Any) -> None:
        """Train on one batch.

        Args:
            idx: Number of the batch in its epoch, from 0.
            data_batch: The batch.
        """
        self.runner.call_hook("before_train_iter", batch_idx=idx, data_batch=data_batch)
        model: Any = self.runner.model
        outputs = model.train_step(data_batch, optim_wrapper=self.runner.optim_wrapper)
        self.runner.call_hook(
            "after_train_iter", batch_idx=idx, data_batch=data_batch, outputs=outputs
        )
        self._iter += 1

    def state_dict(self, epoch: int, iteration: int) -> dict[str, Any]:
        """Where the loop is, for a checkpoint.

        Args:
            epoch: Epochs done, as the checkpoint counts them.
            iteration: Iterations done.

        Returns:
            Plain numbers; ``position`` counts the samples of the epoch that are done.
        """
        marked, position = self._mark
        position += (iteration - marked) * samples_per_step(self.dataloader)
        # A checkpoint at the end of an epoch counts it as done.
        position = position if epoch == self._epoch else 0
        return {**super().state_dict(epoch, iteration), "position": position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where another loop was, whatever its batches were.

        Args:
            state: What :meth:`state_dict` gave, or ``epoch`` and ``iter`` alone, which are taken
                to be of batches like these.
        """
        self._load_common(state)
        self._epoch = state["epoch"]
        done = max(0, self._iter - self._epoch * len(self.dataloader))
        position = state.get("position", done * samples_per_step(self.dataloader))
        self._mark = (self._iter, position)
        self._batches_to_drop = seek(self.dataloader, self._epoch, position) if position else 0


@LOOPS.register_module()
class IterBasedTrainLoop(_TrainLoop):
    """Trains for a number of iterations, however many epochs these are.

    Args:
        runner: The runner.
        dataloader: The data loader or its config.
        max_iters: Number of iterations.
        val_begin: First iteration after which it may be validated, from 1. Defaults to 1.
        val_interval: Iterations between two validations. Defaults to 1000.
        dynamic_intervals: Pairs of an iteration and the interval from there on. Defaults to None.

    Raises:
        RunnerConfigError: If ``max_iters`` is no whole number of at least 1.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict[str, Any],
        max_iters: int,
        val_begin: int = 1,
        val_interval: int = 1000,
        dynamic_intervals: Intervals = None,
    ) -> None:
        super().__init__(runner, dataloader, val_begin, val_interval, dynamic_intervals)
        self._max_iters = _whole("max_iters", max_iters)
        self.dataloader_iterator = EpochIterator(self.dataloader)

    @property
    def max_epochs(self) -> int:
        """1: all iterations are one epoch to hooks and schedulers."""
        return 1

    @property
    def max_iters(self) -> int:
        """Iterations of the whole training."""
        return self._max_iters

    def run(self) -> nn.Module:
        """Train.

        Returns:
            The model.
        """
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        if self._validation_pending:
            self._validation_pending = False
            self._validate_when_due(self._iter)
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(self.dataloader_iterator))
            self._validate_when_due(self._iter)
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_iter(self, data_batch: Any) -> None:
        """Train on one batch.

        Args:
            data_batch: The batch.
        """
        self.runner.call_hook("before_train_iter", batch_idx=self._iter, data_batch=data_batch)
        model: Any = self.runner.model
        outputs = model.train_step(data_batch, optim_wrapper=self.runner.optim_wrapper)
        self._validation_pending = True
        self.runner.call_hook(
            "after_train_iter", batch_idx=self._iter, data_batch=data_batch, outputs=outputs
        )
        self._validation_pending = False
        self._iter += 1

    def state_dict(self, epoch: int, iteration: int) -> dict[str, Any]:
        """Where the loop is, for a checkpoint.

        Args:
            epoch: Epochs done, as the checkpoint counts them.
            iteration: Iterations done.

        Returns:
            Plain numbers; ``position`` counts the samples of ``data_epoch`` that are done.
        """
        return {**super().state_dict(epoch, iteration), **self.dataloader_iterator.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where another loop was, whatever its batches were.

        Args:
            state: What :meth:`state_dict` gave, or ``iter`` alone, which is taken to be of batches
                like these.
        """
        self._load_common(state)
        if "data_epoch" in state:
            self.dataloader_iterator.load_state_dict(state)
        else:
            self.dataloader_iterator.seek(self._iter)


def _split_intervals(
    interval: int, dynamic: Sequence[tuple[int, int]] | None
) -> tuple[list[int], list[int]]:
    """Milestones and the interval that holds from each of them on."""
    pairs = [(0, interval), *(dynamic or [])]
    return [milestone for milestone, _ in pairs], [each for _, each in pairs]


def _whole(name: str, value: Any) -> int:
    if int(value) != value or value < 1:
        raise RunnerConfigError(
            f"train_cfg: {name} must be a whole number of at least 1, got {value!r}"
        )
    return int(value)
