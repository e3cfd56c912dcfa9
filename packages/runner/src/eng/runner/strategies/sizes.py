"""Lengths of training, by which strategies build schedulers and scale learning rates."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import RunnerConfigError
from ..types import Loader, Settings

__all__ = ["TrainingSizes"]


class TrainingSizes:
    """Lengths of training out of ``dispatch_kwargs``, as the builders of schedulers read them.

    Args:
        given: ``epoch_length`` (iterations), ``max_epochs``, ``max_iters`` and
            ``train_micro_batch_size_per_gpu`` (samples), as far as they are known. Defaults to
            none.
    """

    def __init__(self, given: Settings | None = None) -> None:
        # Not copied: those of a runner are computed when they are first read.
        self._given: Settings = {} if given is None else given

    @property
    def dataloader(self) -> Loader:
        """The data loader of training, or an object with its length and batch size."""
        loader = self._given.get("dataloader")
        return _Batches(self._given) if loader is None else loader

    @property
    def max_epochs(self) -> int:
        """Epochs of the whole training."""
        return self._require("max_epochs", "epochs")

    @property
    def max_iters(self) -> int:
        """Iterations of the whole training."""
        if self._given.get("max_iters") is None and self._given.get("max_epochs") is not None:
            length = self._given.get("epoch_length")
            if length is not None:
                return int(self._given["max_epochs"]) * int(length)
        return self._require("max_iters", "iterations")

    @property
    def has_end(self) -> bool:
        """Whether the number of iterations is known."""
        return self._given.get("max_iters") is not None

    @property
    def micro_batch_size(self) -> int | None:
        """Samples that a process takes in an iteration, None if it is not known."""
        size = self._given.get("train_micro_batch_size_per_gpu")
        return None if size is None else int(size)

    def _require(self, name: str, unit: str) -> int:
        value = self._given.get(name)
        if value is None:
            raise RunnerConfigError(
                f"a schedule without 'end' lasts as long as the training: set {name!r} in "
                f"dispatch_kwargs, the number of {unit}; it has {sorted(self._given)}"
            )
        return int(value)


class _Batches:
    """Stand in for a data loader of which only sizes are known."""

    def __init__(self, given: Mapping[str, int]) -> None:
        self._given = given
        self.batch_size = given.get("train_micro_batch_size_per_gpu")

    def __len__(self) -> int:
        if self._given.get("epoch_length") is None:
            raise TypeError("the length of an epoch is unknown")  # as of a loader without one
        return int(self._given["epoch_length"])
