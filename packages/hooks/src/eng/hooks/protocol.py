"""The part of a runner that hooks may use."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from torch import nn
from torch.utils.data import DataLoader

from eng.logging import MessageHub
from eng.utils import DataBatch, DataSample, StateDict

from .types import AnyRunner, StorageSettings

__all__ = [
    "CheckpointWriter",
    "HookLogProcessor",
    "HookOptimWrapper",
    "HookRunState",
    "HookRunner",
    "HookStateful",
    "HookTrainLoop",
    "HookVisualizer",
]


class CheckpointWriter(Protocol):
    """A function that writes a collected checkpoint, as :func:`eng.checkpoint.save_checkpoint`."""

    def __call__(
        self,
        checkpoint: StateDict,
        filename: str,
        *,
        backend_args: StorageSettings | None = None,
    ) -> None:
        """Write a checkpoint."""


class HookTrainLoop(Protocol):
    """The part of a training loop that hooks may touch."""

    #: Set it to end training after the present epoch or iteration.
    stop_training: bool
    dataloader: DataLoader[DataBatch]

    @property
    def epoch(self) -> int:
        """Epochs of training done."""

    @property
    def iter(self) -> int:
        """Iterations of training done."""


class HookStateful(Protocol):
    """An object with a state."""

    def state_dict(self) -> Any:
        """Return the state as plain data and tensors."""

    def load_state_dict(self, state_dict: Any, /) -> object:
        """Continue from a state."""


class HookRunState(Protocol):
    """The part of the run's state that hooks may touch."""

    def add(self, name: str, owner: HookStateful, *, per_rank: bool = False) -> None:
        """Add an object with ``state_dict`` and ``load_state_dict`` to checkpoints of the run."""


class HookOptimWrapper(Protocol):
    """The part of an optimizer wrapper that hooks read."""

    def get_lr(self) -> dict[str, list[float]]:
        """Learning rates by name, of each parameter group."""


class HookVisualizer(Protocol):
    """The part of a visualizer that hooks call."""

    def add_graph(self, model: nn.Module, data_batch: DataBatch) -> None:
        """Record the graph of a model."""

    def add_histogram(self, name: str, values: np.ndarray, step: int = 0) -> None:
        """Record how values are distributed."""

    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: DataSample = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        *,
        step: int = 0,
    ) -> None:
        """Draw a sample and record the picture."""

    def add_image(self, name: str, image: np.ndarray, step: int = 0) -> None:
        """Record an image."""

    def add_scalars(
        self, scalar_dict: StateDict, step: int = 0, file_path: str | None = None
    ) -> None:
        """Record numbers."""

    def close(self) -> None:
        """Finish recording."""


class HookLogProcessor(Protocol):
    """The part of a log processor that hooks call."""

    def get_log_after_iter(
        self, runner: AnyRunner, batch_idx: int, mode: str
    ) -> tuple[StateDict, str]:
        """Numbers by name, and the line of the log, after an iteration."""

    def get_log_after_epoch(
        self, runner: AnyRunner, batch_idx: int, mode: str, with_non_scalar: bool = False
    ) -> tuple[StateDict, str]:
        """Numbers by name, and the line of the log, after an epoch."""


class HookRunner(Protocol):
    """The part of a runner that hooks read and call. Any object that has it can run hooks."""

    model: nn.Module
    message_hub: MessageHub
    meta: StateDict

    @property
    def cfg(self) -> Mapping[str, Any]:
        """The config of the run."""

    @property
    def optim_wrapper(self) -> HookOptimWrapper:
        """The optimizer wrapper; a config until training is prepared."""

    @property
    def param_schedulers(self) -> object:
        """A list of schedulers, or a dict of such lists; configs until training is prepared."""

    @property
    def visualizer(self) -> HookVisualizer:
        """The visualizer of the run."""

    @property
    def log_processor(self) -> HookLogProcessor:
        """Source of the lines of the log."""

    @property
    def logger(self) -> logging.Logger:
        """The logger of the run."""

    @property
    def epoch(self) -> int:
        """Epochs of training done."""

    @property
    def iter(self) -> int:
        """Iterations of training done."""

    @property
    def max_epochs(self) -> int | None:
        """Epochs of the whole training."""

    @property
    def max_iters(self) -> int | None:
        """Iterations of the whole training."""

    @property
    def train_loop(self) -> HookTrainLoop | None:
        """The loop of training, None where the run only evaluates."""

    @property
    def run_state(self) -> HookRunState:
        """The parts of checkpoints, to which a hook may add its own in ``before_run``."""

    @property
    def train_dataloader(self) -> DataLoader[DataBatch]:
        """The data loader of training."""

    @property
    def val_dataloader(self) -> DataLoader[DataBatch]:
        """The data loader of validation."""

    @property
    def test_dataloader(self) -> DataLoader[DataBatch]:
        """The data loader of testing."""

    @property
    def work_dir(self) -> str:
        """The work directory."""

    @property
    def log_dir(self) -> str:
        """The directory of the logs of this start of the run."""

    @property
    def timestamp(self) -> str:
        """Time at which the runner was created, as text."""

    @property
    def experiment_name(self) -> str:
        """Name of the experiment."""

    @property
    def is_resuming(self) -> bool:
        """Whether training resumes from the checkpoint loaded, and does not only start from it."""

    def save_checkpoint(
        self,
        out_dir: str,
        filename: str,
        file_client_args: StorageSettings | None = None,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        meta: StateDict | None = None,
        by_epoch: bool = True,
        backend_args: StorageSettings | None = None,
        *,
        writer: CheckpointWriter | None = None,
    ) -> None:
        """Save the state of the run. To be called in all processes."""
