"""What all loops share."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import TYPE_CHECKING, Any

from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from .runner import Runner

__all__ = ["BaseLoop"]


class BaseLoop(metaclass=ABCMeta):
    """Runs over a data loader.

    Args:
        runner: The runner that it belongs to.
        dataloader: The data loader, or a config that one is built from.
    """

    def __init__(self, runner: Runner, dataloader: DataLoader | dict[str, Any]) -> None:
        self._runner = runner
        if isinstance(dataloader, dict):
            # All processes draw the same order and take their parts of it.
            diff_rank_seed = runner._randomness_cfg.get("diff_rank_seed", False)
            self.dataloader = runner.build_dataloader(
                dataloader, seed=runner.seed, diff_rank_seed=diff_rank_seed
            )
        else:
            self.dataloader = dataloader

    @property
    def runner(self) -> Runner:
        """The runner that the loop belongs to."""
        return self._runner

    @abstractmethod
    def run(self) -> Any:
        """Run the loop."""
