"""Train by epochs and by iterations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from torch import nn
from torch.utils.data import DataLoader

from eng.checkpoint import CheckpointError
from eng.dataset import length_of, sampler_with
from eng.optim import evaluation_mode
from eng.registry import LOOPS
from eng.utils import DataBatch, StateDict, override

from .arguments import check_intervals
from .base_loop import BaseLoop
from .batches import ResumableBatches
from .counts import check_count
from .dataloader_info import check_has_batches, limits_of_resume, reseed
from .errors import RunnerConfigError
from .progress import Progress
from .protocol import LoopRunner, RunEvalLoop
from .types import LoaderOrConfig
from .validations import Validations

__all__ = ["EpochBasedTrainLoop", "IterBasedTrainLoop", "TrainLoop"]

Item = TypeVar("Item")
Intervals = Sequence[tuple[int, int]] | None


class TrainLoop(BaseLoop):
    """The base of both training loops: their progress, and when they validate.

    Subclasses set ``_max_epochs`` and ``_max_iters``, the end of training.

    Args:
        runner: The runner.
        dataloader: The data loader or its config.
        progress: Where training begins.
        val_begin: First epoch or iteration that may be validated.
        val_interval: Epochs or iterations between two validations.
        dynamic_intervals: Pairs of an epoch or iteration and the interval from there on.

    Raises:
        RunnerConfigError: If a count is not an integer, or an interval is below 1.
    """

    _max_epochs: int
    _max_iters: int

    def __init__(
        self,
        runner: LoopRunner,
        dataloader: LoaderOrConfig,
        progress: Progress,
        val_begin: int,
        val_interval: int,
        dynamic_intervals: Intervals,
    ) -> None:
        # Counts first, so that invalid ones are refused before any data is read.
        self.val_begin = check_count("val_begin", val_begin, least=0)
        self.val_interval = check_count("val_interval", val_interval)
        self.dynamic_milestones, self.dynamic_intervals = _split_intervals(
            self.val_interval, dynamic_intervals
        )
        super().__init__(runner, dataloader)
        check_has_batches(self.dataloader)
        self.progress = progress
        self.batches = ResumableBatches(self.dataloader, progress, runner.seed)
        self.validations = Validations(runner)
        self._resumed_seed: int | None = None
        #: Set by a hook to end training after the present epoch or iteration.
        self.stop_training = False
        visualizer = getattr(runner, "visualizer", None)
        meta = getattr(getattr(self.dataloader, "dataset", None), "metainfo", None)
        if visualizer is not None and meta is not None:
            visualizer.dataset_meta = meta

    def _set_dataloader(self, dataloader: DataLoader[DataBatch]) -> None:
        self._dataloader = dataloader
        batches: ResumableBatches | None = vars(self).get("batches")
        if batches is not None:  # replaced by a hook
            if batches.is_resumed and self.progress.position:  # by which the order was drawn
                reseed(dataloader, self._resumed_seed)
            batches.replace(dataloader)

    dataloader: DataLoader[DataBatch] = property(  # type: ignore[assignment]
        attrgetter("_dataloader"), _set_dataloader
    )
    """The data loader. Another one is read from the next epoch on, by iterations at once."""

    # Properties that Python reads without a call: hooks ask for them in each iteration.
    epoch: int = property(attrgetter("progress.epoch"))  # type: ignore[assignment]
    """Epochs done."""

    iter: int = property(attrgetter("progress.iter"))  # type: ignore[assignment]
    """Iterations done."""

    max_epochs: int = property(attrgetter("_max_epochs"))  # type: ignore[assignment]
    """Epochs of the whole training; by iterations 1, which all of them are to hooks."""

    max_iters: int = property(attrgetter("_max_iters"))  # type: ignore[assignment]
    """Iterations of the whole training."""

    # Third-party loops that derive from these count by `self._iter += 1` and `self._epoch += 1`.

    @property
    def _epoch(self) -> int:
        return self.progress.epoch

    @_epoch.setter
    def _epoch(self, epoch: int) -> None:
        if epoch == self.progress.epoch + 1:
            self.progress.count_epoch()
        else:
            self.progress.epoch = epoch

    @property
    def _iter(self) -> int:
        return self.progress.iter

    @_iter.setter
    def _iter(self, iteration: int) -> None:
        self.progress.count_iterations(iteration - self.progress.iter)

    @override
    def reseed(self, seed: int, instead_of: int) -> None:
        """See :meth:`BaseLoop.reseed`."""
        super().reseed(seed, instead_of)
        self.batches.seed = seed

    def state_dict(self, progress: Progress | None = None) -> StateDict:
        """Return the progress of the loop, for a checkpoint.

        Args:
            progress: The progress of the checkpoint. Defaults to None, the present one.

        Returns:
            Plain numbers, see :class:`Progress`, with ``sampler_seed``.
        """
        seed = getattr(sampler_with(self.dataloader, "seed"), "seed", None)
        return {**(progress or self.progress).state_dict(), "sampler_seed": seed}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from the progress of another loop, with any batch size.

        Args:
            state: State from :meth:`state_dict`, or ``epoch`` and ``iter`` alone, which are
                assumed to be of batches of this size.

        Raises:
            CheckpointError: If the other loop trained by epochs and this one does not, or vice
                versa.
        """
        by_epoch = self.progress.by_epoch
        if state.get("by_epoch", by_epoch) != by_epoch:
            units = ("epochs", "iterations") if by_epoch else ("iterations", "epochs")
            raise CheckpointError(
                f"the checkpoint is of training by {units[1]}, train_cfg trains by {units[0]}: set "
                f"by_epoch={not by_epoch} in train_cfg to resume it, or load its weights alone by "
                "load_from without resume"
            )
        self.progress.load_state_dict(state)
        self._resumed_seed = state.get("sampler_seed")
        reseed(self.dataloader, self._resumed_seed)

    def _begin_training(self) -> None:
        """Prepare for a later resume; warn now if that cannot be exact."""
        self.validations.begin()
        limits = limits_of_resume(self.dataloader)
        if limits is not None:
            self.runner.logger.warning(limits)
        if self.iter >= self._max_iters:
            length = "max_epochs" if self.progress.by_epoch else "max_iters"
            self.runner.logger.warning(
                f"Training is complete: all {self.iter} iterations are done. To continue, raise "
                f"{length} in train_cfg."
            )

    def _validate_if_pending(self) -> None:
        """Run the validation that was pending in the resumed checkpoint.

        If it had ended before the run was stopped, its results are read from the record, and only
        their consequences are repeated, as of a schedule that depends on them.
        """
        if self.progress.validated or self.runner.val_loop is None:
            self.progress.validated = True
            return
        done = self.validations.find(self.progress)
        if done is None:
            self._validate_when_due()
            return
        self.progress.validated = True
        self.runner.logger.info(
            f"The validation at iteration {done.iter} had ended before the run was stopped: "
            f"its results are taken from {self.validations.path}."
        )
        with self.runner.random_state.preserved(), evaluation_mode(self.runner.optim_wrapper):
            for stage in ("before_val", "before_val_epoch"):
                self.runner.call_hook(stage)
            self.runner.call_hook("after_val_epoch", metrics=dict(done.metrics))
            self.runner.call_hook("after_val")

    def _validate_when_due(self) -> None:
        """Validate after an epoch or iteration if it is due, and after the last one.

        Validation does not affect the random draws of training.
        """
        progress = self.progress
        progress.validated = True
        done = progress.epoch if progress.by_epoch else progress.iter
        if len(self.dynamic_milestones) > 1:
            self._decide_current_val_interval()
        end = self._max_epochs if progress.by_epoch else self._max_iters
        if done < self.val_begin or (done % self.val_interval and done != end):
            return
        loop = self.runner.val_loop
        if loop is not None:
            self._run_validation(loop)

    def _decide_current_val_interval(self) -> None:
        """Set the present interval between validations. Third-party loops call it in their run."""
        done = self.progress.epoch if self.progress.by_epoch else self.progress.iter
        pairs = reversed([*zip(self.dynamic_milestones, self.dynamic_intervals, strict=True)])
        self.val_interval = next(each for start, each in pairs if done + 1 >= start)

    def _run_validation(self, loop: RunEvalLoop) -> None:
        try:
            self.runner.interruption.check()
            preserved = self.runner.random_state.preserved(), self.batches.preserved()
            with preserved[0], preserved[1], evaluation_mode(self.runner.optim_wrapper):
                metrics = loop.run()
        except BaseException:  # still pending where training continues, in this process or another
            self.progress.validated = False
            raise
        self.validations.add(self.progress, metrics)

    def _fetch_batches(self, batches: Iterator[Item]) -> Iterator[Item]:
        """Iterate over batches until the data ends or training is interrupted."""
        own = self.batches
        return self.runner.interruption.fetch(
            batches, self.progress, own.can_break_off, own.abandon
        )

    def _train_on_batch(self, idx: int, data_batch: DataBatch) -> None:
        """Train on one batch, between the hooks of its iteration."""
        runner = self._runner
        runner.call_hook("before_train_iter", batch_idx=idx, data_batch=data_batch)
        model: Any = runner.model
        outputs = model.train_step(data_batch, optim_wrapper=runner.optim_wrapper)
        runner.call_hook("after_train_iter", batch_idx=idx, data_batch=data_batch, outputs=outputs)
        self.progress.count_iterations()


@LOOPS.register_module()
class EpochBasedTrainLoop(TrainLoop):
    """Trains for a number of epochs.

    Args:
        runner: The runner.
        dataloader: The data loader or its config.
        max_epochs: Number of epochs.
        val_begin: First epoch after which it may be validated, from 1. Defaults to 1.
        val_interval: Epochs between two validations. Defaults to 1.
        dynamic_intervals: Pairs of an epoch and the interval from there on. Defaults to None.

    Raises:
        RunnerConfigError: If a count is not an integer of at least 1.
    """

    def __init__(
        self,
        runner: LoopRunner,
        dataloader: LoaderOrConfig,
        max_epochs: int,
        val_begin: int = 1,
        val_interval: int = 1,
        dynamic_intervals: Intervals = None,
    ) -> None:
        self._max_epochs = check_count("max_epochs", max_epochs)
        progress = Progress(by_epoch=True)
        super().__init__(runner, dataloader, progress, val_begin, val_interval, dynamic_intervals)
        length = length_of(self.dataloader)
        if length is None:
            raise RunnerConfigError(
                "the training data has no length, so that its epochs cannot be counted: train by "
                "iterations (by_epoch=False and max_iters in train_cfg), or implement __len__"
            )
        self._max_iters = self._max_epochs * length

    @override
    def run(self) -> nn.Module:
        """Train.

        Returns:
            The model.
        """
        self._begin_training()
        self.runner.call_hook("before_train")
        self._validate_if_pending()
        while self.epoch < self.max_epochs and not self.stop_training:
            self.run_epoch()
            self._validate_when_due()
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_epoch(self) -> None:
        """Train for one epoch, or for the rest of it after a resume."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        for idx, data_batch in self._fetch_batches(self.batches.rest_of_epoch()):
            self.run_iter(idx, data_batch)
        # Counted last: to the hooks of its end the epoch is not done yet, and a checkpoint that one
        # of them saves says what will be (Progress.after_epoch).
        self.runner.call_hook("after_train_epoch")
        self.progress.count_epoch()

    def run_iter(self, idx: int, data_batch: DataBatch) -> None:
        """Train on one batch.

        Args:
            idx: Number of the batch in its epoch, from 0.
            data_batch: The batch.
        """
        self._train_on_batch(idx, data_batch)

    @override
    def load_state_dict(self, state: StateDict) -> None:
        """Continue from the progress of another loop, see :meth:`TrainLoop.load_state_dict`.

        Args:
            state: Its state, or ``epoch`` and ``iter`` alone.
        """
        super().load_state_dict(state)
        if "position" not in state:
            done = max(0, self.iter - self.epoch * len(self.dataloader))
            self.progress.position = done * self.progress.samples_per_iter
        self.batches.seek()
        # Perhaps with other batch sizes, so that the total is not epochs times batches.
        epochs_after = self.max_epochs - self.epoch - 1
        if epochs_after >= 0:
            to_come = self.batches.left_of_epoch + epochs_after * len(self.dataloader)
            self._max_iters = self.iter + to_come


@LOOPS.register_module()
class IterBasedTrainLoop(TrainLoop):
    """Trains for a number of iterations, however many epochs these are.

    Args:
        runner: The runner.
        dataloader: The data loader or its config.
        max_iters: Number of iterations.
        val_begin: First iteration after which it may be validated, from 1. Defaults to 1.
        val_interval: Iterations between two validations. Defaults to 1000.
        dynamic_intervals: Pairs of an iteration and the interval from there on. Defaults to None.

    Raises:
        RunnerConfigError: If a count is not an integer of at least 1.
    """

    def __init__(
        self,
        runner: LoopRunner,
        dataloader: LoaderOrConfig,
        max_iters: int,
        val_begin: int = 1,
        val_interval: int = 1000,
        dynamic_intervals: Intervals = None,
    ) -> None:
        self._max_epochs, self._max_iters = 1, check_count("max_iters", max_iters)
        progress = Progress(by_epoch=False)
        super().__init__(runner, dataloader, progress, val_begin, val_interval, dynamic_intervals)

    def _read_from(self, iterator: Iterator[DataBatch]) -> None:
        if iterator is not self.batches:
            self.batches.read_from(iterator)

    dataloader_iterator: Iterator[DataBatch] = property(  # type: ignore[assignment]
        attrgetter("batches"), _read_from
    )
    """The batches, without end. Those of an iterator that replaces it are read from then on."""

    @override
    def run(self) -> nn.Module:
        """Train.

        Returns:
            The model.
        """
        self._begin_training()
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        self._validate_if_pending()
        # Not in each iteration: visiting all modules takes as long as a step of a small model.
        self.runner.model.train()
        batches = self._fetch_batches(self.dataloader_iterator)
        runner = self.runner
        while self.iter < self.max_iters and not self.stop_training:
            if not runner.model.training:  # after a validation
                runner.model.train()
            self.run_iter(next(batches))
            self._validate_when_due()
        self.runner.call_hook("after_train_epoch")
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_iter(self, data_batch: DataBatch) -> None:
        """Train on one batch.

        Args:
            data_batch: The batch.
        """
        self._train_on_batch(self.iter, data_batch)

    @override
    def load_state_dict(self, state: StateDict) -> None:
        """Continue from the progress of another loop, see :meth:`TrainLoop.load_state_dict`.

        Args:
            state: Its state, or ``epoch`` and ``iter`` alone.
        """
        super().load_state_dict(state)
        if "data_epoch" in state:
            self.batches.seek()
        else:
            self.batches.seek_iteration(self.iter)


def _split_intervals(interval: int, dynamic: Intervals) -> tuple[list[int], list[int]]:
    """Split intervals into milestones and the interval from each of them on."""
    pairs = [(0, interval), *check_intervals(dynamic)]
    return [milestone for milestone, _ in pairs], [each for _, each in pairs]
