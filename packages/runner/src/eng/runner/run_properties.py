"""What a run says of itself: its names, places, processes, loops and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eng.hooks import Hook
from eng.model import is_model_wrapper

from .base_loop import BaseLoop

if TYPE_CHECKING:
    from .hook_list import HookList

__all__ = ["RunProperties"]


class RunProperties:
    """The properties of :class:`eng.runner.Runner`, which sets what they tell."""

    model: Any
    optim_wrapper: Any
    _experiment_name: str
    _work_dir: str
    _log_dir: str
    _timestamp: str
    _launcher: str
    _distributed: bool
    _rank: int
    _world_size: int
    _seed: int
    _deterministic: bool
    _hooks: HookList
    _train_loop: Any
    _val_loop: Any
    _test_loop: Any

    def build_train_loop(self, loop: Any) -> BaseLoop:
        """Build the training loop."""
        raise NotImplementedError

    def build_val_loop(self, loop: Any) -> BaseLoop:
        """Build the validation loop."""
        raise NotImplementedError

    def build_test_loop(self, loop: Any) -> BaseLoop:
        """Build the test loop."""
        raise NotImplementedError

    @property
    def experiment_name(self) -> str:
        """Name of the experiment."""
        return self._experiment_name

    @property
    def work_dir(self) -> str:
        """Directory for checkpoints and logs."""
        return self._work_dir

    @property
    def log_dir(self) -> str:
        """Folder of the work directory that this start of the run logs into."""
        return self._log_dir

    @property
    def timestamp(self) -> str:
        """When the runner was made."""
        return self._timestamp

    @property
    def model_name(self) -> str:
        """Name of the class of the model."""
        return type(self._bare_model).__name__

    @property
    def launcher(self) -> str:
        """What started the processes."""
        return self._launcher

    @property
    def distributed(self) -> bool:
        """Whether there are several processes."""
        return self._distributed

    @property
    def rank(self) -> int:
        """Rank of this process."""
        return self._rank

    @property
    def world_size(self) -> int:
        """Number of processes."""
        return self._world_size

    @property
    def seed(self) -> int:
        """The seed of all random number generators."""
        return self._seed

    @property
    def deterministic(self) -> bool:
        """Whether only deterministic algorithms are used."""
        return self._deterministic

    @property
    def hooks(self) -> list[Hook]:
        """All hooks in the order in which they run."""
        return list(self._hooks)

    @property
    def epoch(self) -> int:
        """Epochs of training done."""
        return self._of_train_loop("epoch") if isinstance(self._train_loop, BaseLoop) else 0

    @property
    def iter(self) -> int:
        """Iterations of training done."""
        return self._of_train_loop("iter") if isinstance(self._train_loop, BaseLoop) else 0

    @property
    def max_epochs(self) -> int | None:
        """Epochs of the whole training, None without one."""
        return self._of_train_loop("max_epochs")

    @property
    def max_iters(self) -> int | None:
        """Iterations of the whole training, None without one."""
        return self._of_train_loop("max_iters")

    @property
    def val_interval(self) -> int | None:
        """Epochs or iterations between two validations."""
        return self._of_train_loop("val_interval")

    @property
    def val_begin(self) -> int | None:
        """First epoch or iteration that may be validated."""
        return self._of_train_loop("val_begin")

    def _of_train_loop(self, name: str) -> Any:
        if isinstance(self._train_loop, BaseLoop):
            return getattr(self._train_loop, name)
        return self._train_loop.get(name) if self._train_loop is not None else None

    @property
    def train_loop(self) -> Any:
        """The training loop, built when first asked for."""
        if self._train_loop is not None and not isinstance(self._train_loop, BaseLoop):
            self._train_loop = self.build_train_loop(self._train_loop)
        return self._train_loop

    @property
    def val_loop(self) -> Any:
        """The validation loop, built when first asked for."""
        if self._val_loop is not None and not isinstance(self._val_loop, BaseLoop):
            self._val_loop = self.build_val_loop(self._val_loop)
        return self._val_loop

    @property
    def test_loop(self) -> Any:
        """The test loop, built when first asked for."""
        if self._test_loop is not None and not isinstance(self._test_loop, BaseLoop):
            self._test_loop = self.build_test_loop(self._test_loop)
        return self._test_loop

    @property
    def train_dataloader(self) -> Any:
        """The data loader of training."""
        return self.train_loop.dataloader

    @property
    def val_dataloader(self) -> Any:
        """The data loader of validation."""
        return self.val_loop.dataloader

    @property
    def test_dataloader(self) -> Any:
        """The data loader of testing."""
        return self.test_loop.dataloader

    @property
    def val_evaluator(self) -> Any:
        """The evaluator of validation."""
        return self.val_loop.evaluator

    @property
    def test_evaluator(self) -> Any:
        """The evaluator of testing."""
        return self.test_loop.evaluator

    @property
    def _bare_model(self) -> Any:
        return self.model.module if is_model_wrapper(self.model) else self.model

    @property
    def _has_several_optimizers(self) -> bool:
        return hasattr(self.optim_wrapper, "optim_wrappers")
