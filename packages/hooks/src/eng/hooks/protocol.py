"""The part of a runner that hooks may touch."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from torch import nn

from eng.logging import MessageHub

__all__ = ["CheckpointWriter", "HookRunState", "HookRunner", "HookTrainLoop"]


class CheckpointWriter(Protocol):
    """What writes a checkpoint that was collected, as :func:`eng.checkpoint.save_checkpoint`."""

    def __call__(
        self,
        checkpoint: dict[str, Any],
        filename: str,
        *,
        backend_args: dict[str, Any] | None = None,
    ) -> None:
        """Write a checkpoint."""


class HookTrainLoop(Protocol):
    """The part of a training loop that hooks may touch."""

    #: Set it to end training after the present epoch or iteration.
    stop_training: bool
    dataloader: Any

    @property
    def epoch(self) -> int:
        """Epochs of training done."""

    @property
    def iter(self) -> int:
        """Iterations of training done."""


class HookRunState(Protocol):
    """The part of the run's state that hooks may touch."""

    def add(self, name: str, owner: Any, *, per_rank: bool = False) -> None:
        """Add an object with ``state_dict`` and ``load_state_dict`` to checkpoints of the run."""


class HookRunner(Protocol):
    """The part of a runner that hooks read and call. Any object that has it can run hooks."""

    model: nn.Module
    optim_wrapper: Any
    param_schedulers: Any
    message_hub: MessageHub
    visualizer: Any
    log_processor: Any
    cfg: Any
    meta: dict[str, Any]

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
    def train_dataloader(self) -> Any:
        """The data loader of training."""

    @property
    def val_dataloader(self) -> Any:
        """The data loader of validation."""

    @property
    def test_dataloader(self) -> Any:
        """The data loader of testing."""

    @property
    def work_dir(self) -> str:
        """Where the run writes."""

    @property
    def log_dir(self) -> str:
        """Where this start of the run logs."""

    @property
    def timestamp(self) -> str:
        """When the runner was made."""

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
        file_client_args: dict[str, Any] | None = None,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        meta: dict[str, Any] | None = None,
        by_epoch: bool = True,
        backend_args: dict[str, Any] | None = None,
        *,
        writer: CheckpointWriter | None = None,
    ) -> None:
        """Save the state of the run. To be called in all processes."""
