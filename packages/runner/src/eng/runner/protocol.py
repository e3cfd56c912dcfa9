"""The part of a runner that loops, builders, log processor and run state may touch."""

from __future__ import annotations

from typing import Any, Protocol

from torch.utils.data import DataLoader

from eng.config import Config
from eng.evaluator import Evaluator
from eng.hooks import Hook, HookRunner
from eng.utils import override

from .environment import Environment
from .interruption import Interruption
from .progress import Progress
from .random_state import RandomState
from .run_state import RunState

__all__ = ["LoopRunner"]


class LoopRunner(HookRunner, Protocol):
    """What a loop reads and calls beside what hooks do. Any object that has it can run loops."""

    cfg: Config
    #: Through which loops take batches, so that training can end between them.
    interruption: Interruption

    @property
    def progress(self) -> Progress:
        """How far training has come."""

    @property
    def environment(self) -> Environment:
        """Processes and seeds."""

    @property
    def seed(self) -> int:
        """The seed of all random number generators."""

    @property
    def random_state(self) -> RandomState:
        """The random number generators of this process."""

    @property
    def hooks(self) -> list[Hook]:
        """All hooks in the order in which they run."""

    @property
    @override
    def run_state(self) -> RunState:
        """The parts of the run's state, which hooks and loops may add to."""

    @property
    def val_loop(self) -> Any:
        """The loop of validation, None without one."""

    @property
    def test_loop(self) -> Any:
        """The loop of testing, None without one."""

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Run all hooks of a stage."""

    def build_dataloader(
        self,
        dataloader: DataLoader | dict[str, Any],
        seed: int | None = None,
        diff_rank_seed: bool = False,
    ) -> DataLoader:
        """Build a data loader from its config."""

    def build_evaluator(self, evaluator: Any) -> Evaluator:
        """Build an evaluator from its config."""

    def set_randomness(
        self, seed: int | None, diff_rank_seed: bool = False, deterministic: bool = False
    ) -> None:
        """Seed all random number generators."""

    def load_checkpoint(self, filename: str) -> dict[str, Any]:
        """Load the weights of a checkpoint into the model."""

    def resume(self, filename: str) -> None:
        """Resume from a checkpoint."""
