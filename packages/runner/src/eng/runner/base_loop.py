"""The base of all loops."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import Any

from torch.utils.data import DataLoader

from .protocol import LoopRunner

__all__ = ["BaseLoop"]


class BaseLoop(metaclass=ABCMeta):
    """Runs over a data loader.

    Args:
        runner: The runner that it belongs to.
        dataloader: The data loader, or a config that one is built from.
    """

    def __init__(self, runner: LoopRunner, dataloader: DataLoader | dict[str, Any]) -> None:
        self._runner = runner
        if isinstance(dataloader, dict):
            # All processes draw the same order and take their parts of it.
            self.dataloader = runner.build_dataloader(
                dataloader, seed=runner.seed, diff_rank_seed=runner.environment.diff_rank_seed
            )
        else:
            self.dataloader = dataloader

    @property
    def runner(self) -> LoopRunner:
        """The runner that the loop belongs to."""
        return self._runner

    @abstractmethod
    def run(self) -> Any:
        """Run the loop."""
