"""What a hook may touch of the runner."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from torch import nn

from eng.logging import MessageHub

__all__ = ["HookRunner"]


class HookRunner(Protocol):
    """The part of a runner that hooks read and call. Any object that has it can run hooks."""

    model: nn.Module
    optim_wrapper: Any
    param_schedulers: Any
    message_hub: MessageHub
    logger: logging.Logger
    visualizer: Any
    log_processor: Any
    cfg: Any
    meta: dict[str, Any]

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
    def train_loop(self) -> Any:
        """The loop of training."""

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
        """Whether the checkpoint loaded is gone on from, and not only initialised with."""

    def save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """Save the state of the run."""
