"""Record the state of a run in the message hub."""

from __future__ import annotations

from collections.abc import Mapping

from eng.logging import MessageHub
from eng.registry import HOOKS
from eng.utils import override

from .hook import DataBatch, Hook
from .protocol import HookRunner
from .scalar_keys import TRAIN
from .types import StepOutputs
from .values import is_scalar

__all__ = ["RuntimeInfoHook"]


@HOOKS.register_module()
class RuntimeInfoHook(Hook):
    """Keeps epoch, iteration, learning rates, losses and metrics in the message hub."""

    priority = "VERY_HIGH"
    # On the class, for subclasses whose __init__ does not call one of this class.
    _outer_stage: str | None = None

    @override
    def before_run(self, runner: HookRunner) -> None:
        """Record the config, the seed and the name of the experiment."""
        runner.message_hub.update_info_dict(runner.meta, resumed=False)

    @override
    def before_train(self, runner: HookRunner) -> None:
        """Record progress and length of training."""
        hub = runner.message_hub
        hub.update_info("loop_stage", "train", resumed=False)
        hub.update_info("epoch", runner.epoch)
        hub.update_info("iter", runner.iter)
        hub.update_info("max_epochs", runner.max_epochs)
        hub.update_info("max_iters", runner.max_iters)
        _forget_rates(hub, getattr(runner, "optim_wrapper", None))
        meta = getattr(getattr(runner.train_dataloader, "dataset", None), "metainfo", None)
        if meta is not None:
            hub.update_info("dataset_meta", meta, resumed=False)

    @override
    def before_train_epoch(self, runner: HookRunner) -> None:
        """Record the epoch."""
        runner.message_hub.update_info("epoch", runner.epoch)

    @override
    def before_train_iter(
        self, runner: HookRunner, batch_idx: int, data_batch: DataBatch = None
    ) -> None:
        """Record the iteration and the learning rate of the first parameter group."""
        hub = runner.message_hub
        hub.update_info("iter", runner.iter)
        rates = runner.optim_wrapper.get_lr()
        if not isinstance(rates, dict):
            raise RuntimeError(
                "optim_wrapper.get_lr() must return a dict of learning rates by name, not "
                f"{type(rates).__name__}"
            )
        for name, values in rates.items():
            hub.update_scalar(TRAIN[name], values[0])

    @override
    def after_train_iter(
        self,
        runner: HookRunner,
        batch_idx: int,
        data_batch: DataBatch = None,
        outputs: StepOutputs = None,
    ) -> None:
        """Record the outputs of the training step. Tensors stay on their device."""
        hub = runner.message_hub
        for name, value in (outputs or {}).items():
            hub.update_scalar(TRAIN[name], value)

    @override
    def after_train(self, runner: HookRunner) -> None:
        """Record that no loop runs."""
        runner.message_hub.pop_info("loop_stage")

    def after_interrupted_train(self, runner: HookRunner) -> None:
        """Record that no loop runs after an interrupted training."""
        runner.message_hub.pop_info("loop_stage")

    def after_interrupted_val(self, runner: HookRunner) -> None:
        """Restore the outer stage after an interrupted validation."""
        self._leave(runner)

    @override
    def before_val(self, runner: HookRunner) -> None:
        """Record that validation runs, perhaps within training."""
        self._enter(runner, "val")

    @override
    def after_val(self, runner: HookRunner) -> None:
        """Restore the outer stage."""
        self._leave(runner)

    @override
    def before_test(self, runner: HookRunner) -> None:
        """Record that testing runs."""
        self._enter(runner, "test")

    @override
    def after_test(self, runner: HookRunner) -> None:
        """Restore the outer stage."""
        self._leave(runner)

    @override
    def after_val_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Record the metrics of validation."""
        _record_metrics(runner, "val", metrics)

    @override
    def after_test_epoch(self, runner: HookRunner, metrics: dict[str, float] | None = None) -> None:
        """Record the metrics of testing."""
        _record_metrics(runner, "test", metrics)

    def _enter(self, runner: HookRunner, stage: str) -> None:
        self._outer_stage = runner.message_hub.runtime_info.get("loop_stage")
        runner.message_hub.update_info("loop_stage", stage, resumed=False)

    def _leave(self, runner: HookRunner) -> None:
        if self._outer_stage is None:
            runner.message_hub.pop_info("loop_stage")
        else:
            runner.message_hub.update_info("loop_stage", self._outer_stage, resumed=False)


def _forget_rates(hub: MessageHub, optim_wrapper: object) -> None:
    """Drop base rates of the resumed run that this one does not record, since they are stale."""
    get_lr = getattr(optim_wrapper, "get_lr", None)
    rates: object = {} if get_lr is None else get_lr()
    for key in list(hub.log_scalars):
        name = key.removeprefix("train/")
        is_base = name == "base_lr" or name.endswith(".base_lr")
        if is_base and name != key and isinstance(rates, dict) and name not in rates:
            del hub.log_scalars[key]


def _record_metrics(runner: HookRunner, mode: str, metrics: Mapping[str, object] | None) -> None:
    names = [f"{mode}/{name}" for name in metrics or {}]
    runner.message_hub.update_info("metric_names", names, resumed=False)
    for name, value in (metrics or {}).items():
        if is_scalar(value):
            runner.message_hub.update_scalar(f"{mode}/{name}", value)
        else:
            runner.message_hub.update_info(f"{mode}/{name}", value, resumed=False)
