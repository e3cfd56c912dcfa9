"""Track the progress of training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from eng.utils import StateDict

__all__ = ["Progress"]


@dataclass
class Progress:
    """The progress of training: the one place that counts it.

    While the hooks of a stage run, the stage itself is not counted yet. A checkpoint that one of
    them saves is of the end of the stage: :meth:`after_iteration` or :meth:`after_epoch`.

    Attributes:
        epoch: Epochs done.
        iter: Iterations done.
        data_epoch: The epoch of the data that the next batch is from, from 0.
        position: Samples of that epoch that all processes together have trained on.
        validated: Whether no validation is pending at this point.
        by_epoch: Whether an epoch of training is one of the data. Otherwise all iterations are one
            epoch to hooks and schedules, however many epochs of the data they are.
        samples_per_iter: Samples that all processes together take in an iteration.
    """

    epoch: int = 0
    iter: int = 0
    data_epoch: int = 0
    position: int = 0
    validated: bool = True
    by_epoch: bool = True
    samples_per_iter: int = 1

    def count_iterations(self, number: int = 1) -> None:
        """Count iterations as done.

        Args:
            number: Their number. Defaults to 1.
        """
        self.iter += number
        self.position += number * self.samples_per_iter

    def count_epoch(self) -> None:
        """Count an epoch of training as done."""
        self.epoch += 1
        if self.by_epoch:
            self.data_epoch, self.position = self.epoch, 0

    def begin_data_epoch(self) -> None:
        """Begin the next epoch of the data."""
        self.data_epoch += 1
        self.position = 0

    def after_iteration(self) -> Progress:
        """Return the progress at the end of the present iteration, before a validation."""
        progress = replace(self, validated=self.by_epoch)
        progress.count_iterations()
        return progress

    def after_epoch(self) -> Progress:
        """Return the progress at the end of the present epoch, before a validation."""
        progress = replace(self, validated=not self.by_epoch)
        progress.count_epoch()
        return progress

    def at(self, epoch: int, iteration: int) -> Progress:
        """Return the progress of a checkpoint with these counts.

        Args:
            epoch: Epochs done, as the checkpoint counts them.
            iteration: Iterations done, likewise.

        Returns:
            The present progress, or that at the end of the present iteration or epoch, whichever
            has these counts. For other counts the position of the end of the epoch or of that many
            further iterations.
        """
        for progress in (self, self.after_iteration(), self.after_epoch()):
            if (progress.epoch, progress.iter) == (epoch, iteration):
                return replace(progress)
        if self.by_epoch and epoch != self.epoch:
            return replace(self, epoch=epoch, iter=iteration, data_epoch=epoch, position=0)
        position = self.position + (iteration - self.iter) * self.samples_per_iter
        return replace(self, epoch=epoch, iter=iteration, position=max(0, position))

    def state_dict(self) -> StateDict:
        """Return the counts as plain numbers.

        Returns:
            All but ``samples_per_iter``, which depends on the data loader.
        """
        return {
            "epoch": self.epoch,
            "iter": self.iter,
            "data_epoch": self.data_epoch,
            "position": self.position,
            "validated": self.validated,
            "by_epoch": self.by_epoch,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from other counts.

        Args:
            state: State from :meth:`state_dict`. ``by_epoch`` is not changed; a missing
                ``data_epoch`` is the epoch by epochs and 0 otherwise.
        """
        self.epoch = state["epoch"] if self.by_epoch else 0
        self.iter = state["iter"]
        self.data_epoch = state.get("data_epoch", self.epoch)
        self.position = state.get("position", 0)
        self.validated = state.get("validated", True)
