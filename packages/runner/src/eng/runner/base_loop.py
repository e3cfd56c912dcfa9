"""The base of all loops."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Mapping
from typing import Any

from torch.utils.data import DataLoader

from eng.utils import DataBatch

from .dataloader_info import reseed
from .protocol import LoopRunner
from .shared_loader import share_out
from .types import LoaderOrConfig

__all__ = ["BaseLoop"]


class BaseLoop(metaclass=ABCMeta):
    """Runs over a data loader.

    Args:
        runner: The runner that it belongs to.
        dataloader: The data loader, or a config that one is built from.
    """

    def __init__(self, runner: LoopRunner, dataloader: LoaderOrConfig) -> None:
        self._runner = runner
        self.dataloader: DataLoader[DataBatch]
        if isinstance(dataloader, Mapping):
            # The seed is that of all processes, which draw the same order and take parts of it.
            self.dataloader = runner.build_dataloader(dataloader, seed=runner.seed)
        else:
            self.dataloader = share_out(dataloader, runner.seed)

    @property
    def runner(self) -> LoopRunner:
        """The runner that the loop belongs to."""
        return self._runner

    def reseed(self, seed: int, instead_of: int) -> None:
        """Use the seed of the resumed run.

        Args:
            seed: The seed.
            instead_of: The present seed. One that the config sets on the sampler itself is kept.
        """
        reseed(self.dataloader, seed, instead_of)

    @abstractmethod
    def run(self) -> Any:
        """Run the loop."""
