"""The base class of hooks."""

from __future__ import annotations

from typing import ClassVar

from eng.dataset import length_of
from eng.registry import HOOKS
from eng.utils import DataBatch, StateDict

from .priority import Priority
from .protocol import HookRunner
from .types import AnyRunner, StepOutputs

__all__ = ["DataBatch", "Hook"]


@HOOKS.register_module()
class Hook:
    """Does something at stages of a run. A subclass overrides the methods of its stages.

    Each stage is a method of the same name. The methods ``_before_epoch``, ``_after_epoch``,
    ``_before_iter`` and ``_after_iter``, with a ``mode`` of ``'train'``, ``'val'`` or ``'test'``,
    are the stages of all three at once. The arguments of stages, as far as one has them:

    - ``runner``: the runner, with at least the members of :class:`HookRunner`;
    - ``batch_idx``: number of the batch in its epoch, from 0; in training by iterations, of the
      iteration;
    - ``data_batch``: the batch from the data loader;
    - ``outputs``: of a training step its losses by name, otherwise the predictions;
    - ``metrics``: metric values by name;
    - ``checkpoint``: its content, the same keys in all processes: entries that are added or changed
      before it is saved are saved, those changed after it is read are loaded;
    - ``mode``: ``'train'``, ``'val'`` or ``'test'``.

    Attributes:
        priority: Hooks of higher priority run earlier, see :class:`Priority`.
        stages: The names of all stages.
    """

    priority: int | str | Priority = "NORMAL"

    stages: ClassVar[tuple[str, ...]] = (
        "before_run",
        "after_load_checkpoint",
        "before_train",
        "before_train_epoch",
        "before_train_iter",
        "after_train_iter",
        "after_train_epoch",
        "before_val",
        "before_val_epoch",
        "before_val_iter",
        "after_val_iter",
        "after_val_epoch",
        "after_val",
        "before_save_checkpoint",
        "after_train",
        "before_test",
        "before_test_epoch",
        "before_test_iter",
        "after_test_iter",
        "after_test_epoch",
        "after_test",
        "after_run",
    )

    @classmethod
    def get_triggered_stages(cls) -> list[str]:
        """The stages at which this class does something, in the order of a run."""
        overridden = {
            name for name in dir(cls) if getattr(cls, name) is not getattr(Hook, name, None)
        }
        return [stage for stage in cls.stages if overridden & {stage, _name_shared_method(stage)}]

    def before_run(self, runner: AnyRunner) -> None:
        """Before anything runs."""

    def after_run(self, runner: AnyRunner) -> None:
        """After everything has run."""

    def before_train(self, runner: AnyRunner) -> None:
        """Before training."""

    def after_train(self, runner: AnyRunner) -> None:
        """After training."""

    def before_train_epoch(self, runner: AnyRunner) -> None:
        """Before each epoch of training."""
        self._before_epoch(runner, mode="train")

    def after_train_epoch(self, runner: AnyRunner) -> None:
        """After each epoch of training."""
        self._after_epoch(runner, mode="train")

    def before_train_iter(
        self,
        runner: AnyRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
    ) -> None:
        """Before each iteration of training."""
        self._before_iter(runner, batch_idx=batch_idx, data_batch=data_batch, mode="train")

    def after_train_iter(
        self,
        runner: AnyRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """After each iteration of training."""
        self._after_iter(
            runner, batch_idx=batch_idx, data_batch=data_batch, outputs=outputs, mode="train"
        )

    def before_val(self, runner: AnyRunner) -> None:
        """Before validation."""

    def after_val(self, runner: AnyRunner) -> None:
        """After validation."""

    def before_val_epoch(self, runner: AnyRunner) -> None:
        """Before each epoch of validation."""
        self._before_epoch(runner, mode="val")

    def after_val_epoch(self, runner: AnyRunner, metrics: dict[str, float] | None = None) -> None:
        """After each epoch of validation."""
        self._after_epoch(runner, mode="val")

    def before_val_iter(
        self,
        runner: AnyRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
    ) -> None:
        """Before each iteration of validation."""
        self._before_iter(runner, batch_idx=batch_idx, data_batch=data_batch, mode="val")

    def after_val_iter(
        self,
        runner: AnyRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """After each iteration of validation."""
        self._after_iter(
            runner, batch_idx=batch_idx, data_batch=data_batch, outputs=outputs, mode="val"
        )

    def before_test(self, runner: AnyRunner) -> None:
        """Before testing."""

    def after_test(self, runner: AnyRunner) -> None:
        """After testing."""

    def before_test_epoch(self, runner: AnyRunner) -> None:
        """Before each epoch of testing."""
        self._before_epoch(runner, mode="test")

    def after_test_epoch(self, runner: AnyRunner, metrics: dict[str, float] | None = None) -> None:
        """After each epoch of testing."""
        self._after_epoch(runner, mode="test")

    def before_test_iter(
        self,
        runner: AnyRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
    ) -> None:
        """Before each iteration of testing."""
        self._before_iter(runner, batch_idx=batch_idx, data_batch=data_batch, mode="test")

    def after_test_iter(
        self,
        runner: AnyRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """After each iteration of testing."""
        self._after_iter(
            runner, batch_idx=batch_idx, data_batch=data_batch, outputs=outputs, mode="test"
        )

    def before_save_checkpoint(self, runner: AnyRunner, checkpoint: StateDict) -> None:
        """Before a checkpoint is saved; entries that are added are saved as well."""

    def after_load_checkpoint(self, runner: AnyRunner, checkpoint: StateDict) -> None:
        """After a checkpoint is read, before its state is loaded."""

    def _before_epoch(self, runner: AnyRunner, mode: str = "train") -> None:
        """Before each epoch of any kind."""

    def _after_epoch(self, runner: AnyRunner, mode: str = "train") -> None:
        """After each epoch of any kind."""

    def _before_iter(
        self,
        runner: AnyRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        mode: str = "train",
    ) -> None:
        """Before each iteration of any kind."""

    def _after_iter(
        self,
        runner: AnyRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
        mode: str = "train",
    ) -> None:
        """After each iteration of any kind."""

    def every_n_epochs(self, runner: HookRunner, n: int, start: int = 0) -> bool:
        """Whether the epoch that ends now is an ``n``-th one.

        Args:
            runner: The runner.
            n: The interval; below 1 the result is False.
            start: Epochs before the first one that counts. Defaults to 0.

        Returns:
            Whether it is.
        """
        epoch = runner.epoch + 1 - start
        return n > 0 and epoch >= 0 and epoch % n == 0

    def every_n_inner_iters(self, batch_idx: int, n: int) -> bool:
        """Whether a batch is an ``n``-th one of its epoch.

        Args:
            batch_idx: Number of the batch in its epoch, from 0.
            n: The interval; below 1 the result is False.

        Returns:
            Whether it is.
        """
        return n > 0 and (batch_idx + 1) % n == 0

    def every_n_train_iters(self, runner: HookRunner, n: int, start: int = 0) -> bool:
        """Whether the iteration of training that ends now is an ``n``-th one.

        Args:
            runner: The runner.
            n: The interval; below 1 the result is False.
            start: Iterations before the first one that counts. Defaults to 0.

        Returns:
            Whether it is.
        """
        iteration = runner.iter + 1 - start
        return n > 0 and iteration >= 0 and iteration % n == 0

    def end_of_epoch(self, dataloader: object, batch_idx: int) -> bool:
        """Whether a batch is the last one of its epoch.

        Args:
            dataloader: The data loader.
            batch_idx: Number of the batch in its epoch, from 0.

        Returns:
            Whether it is.
        """
        return batch_idx + 1 == length_of(dataloader)

    def is_last_train_epoch(self, runner: HookRunner) -> bool:
        """Whether the epoch that ends now is the last one of training.

        Args:
            runner: The runner.

        Returns:
            Whether it is.
        """
        return runner.epoch + 1 == runner.max_epochs

    def is_last_train_iter(self, runner: HookRunner) -> bool:
        """Whether the iteration that ends now is the last one of training.

        Args:
            runner: The runner.

        Returns:
            Whether it is.
        """
        return runner.iter + 1 == runner.max_iters


def _name_shared_method(stage: str) -> str:
    """Name the method that a stage of one mode calls: ``before_val_iter`` ``_before_iter``."""
    when, _, what = stage.partition("_")
    return f"_{when}_{what.rpartition('_')[2]}"
