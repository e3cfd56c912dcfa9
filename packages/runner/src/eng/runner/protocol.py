"""The part of a runner that loops, builders, log processor and run state may touch."""

from __future__ import annotations

from typing import Any, Protocol

from torch.utils.data import DataLoader

from eng.config import Config
from eng.evaluator import Evaluator
from eng.hooks import Hook, HookRunner, HookTrainLoop
from eng.optim import OptimWrapper
from eng.utils import DataBatch, StateDict, override
from eng.vis import Visualizer

from .environment import Environment
from .interruption import Interruption
from .progress import Progress
from .random_state import RandomState
from .run_state import RunState
from .types import EvaluatorOrConfig, LoaderOrConfig, Schedulers

__all__ = ["LoopRunner", "RunEvalLoop", "RunTrainLoop"]


class RunTrainLoop(HookTrainLoop, Protocol):
    """A training loop, as other parts of a run read it."""

    @property
    def max_epochs(self) -> int:
        """Epochs of the whole training."""

    @property
    def max_iters(self) -> int:
        """Iterations of the whole training."""


class RunEvalLoop(Protocol):
    """A loop of validation or testing, as other parts of a run use it."""

    dataloader: DataLoader[DataBatch]

    def run(self) -> dict[str, float]:
        """Go over the data once, and return metrics by name."""


class LoopRunner(HookRunner, Protocol):
    """The part of a runner that loops use, beside that of hooks. Any object that has it will do."""

    #: Through which loops take batches, so that training can end between them.
    interruption: Interruption

    @property
    @override
    def cfg(self) -> Config:
        """The config of the run."""

    @property
    @override
    def optim_wrapper(self) -> OptimWrapper:
        """The optimizer wrapper; a config until training is prepared."""

    @property
    @override
    def param_schedulers(self) -> Schedulers | None:
        """Schedulers; configs until training is prepared."""

    @property
    @override
    def visualizer(self) -> Visualizer:
        """The visualizer of the run."""

    @property
    @override
    def train_loop(self) -> RunTrainLoop | None:
        """The loop of training, None where the run only evaluates."""

    @property
    def progress(self) -> Progress:
        """The progress of training."""

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
    def val_loop(self) -> RunEvalLoop | None:
        """The loop of validation, None without one."""

    @property
    def test_loop(self) -> RunEvalLoop | None:
        """The loop of testing, None without one."""

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Run all hooks of a stage."""

    def build_dataloader(
        self,
        dataloader: LoaderOrConfig,
        seed: int | None = None,
        diff_rank_seed: bool = False,
    ) -> DataLoader[DataBatch]:
        """Build a data loader from its config."""

    def build_evaluator(self, evaluator: EvaluatorOrConfig) -> Evaluator:
        """Build an evaluator from its config."""

    def set_randomness(
        self, seed: int | None, diff_rank_seed: bool = False, deterministic: bool = False
    ) -> None:
        """Seed all random number generators."""

    def load_checkpoint(self, filename: str) -> StateDict:
        """Load the weights of a checkpoint into the model."""

    def resume(self, filename: str) -> None:
        """Resume from a checkpoint."""
