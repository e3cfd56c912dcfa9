"""Restore model, optimizer, data and random numbers after a trial within a run."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from eng.dataset import samplers_of
from eng.logging import MessageHub
from eng.optim import OptimWrapper

from .batches import ResumableBatches
from .dataloader_info import end_workers, stateful_part
from .protocol import LoopRunner
from .types import Loader, Schedulers

__all__ = ["preserved_training", "trial_optim_wrapper"]


@contextmanager
def preserved_training(runner: LoopRunner, batches: ResumableBatches) -> Iterator[OptimWrapper]:
    """Restore everything that training steps change.

    These are parameters, buffers, gradients and attributes of the model, state and settings of the
    optimizer, schedules, random generators and the position in the data. Scalars that are recorded
    meanwhile are dropped.

    Args:
        runner: The runner, prepared for training, but not within it.
        batches: The batches of its training loop.

    Yields:
        An optimizer wrapper for the block, see :func:`trial_optim_wrapper`.
    """
    with ExitStack() as stack:
        stack.enter_context(runner.random_state.preserved())
        stack.enter_context(batches.preserved())
        stack.enter_context(_preserved_loader(getattr(runner.train_loop, "dataloader", None)))
        stack.callback(_snapshot_model(runner.model))
        stack.callback(_snapshot_optimizer(runner.optim_wrapper))
        stack.callback(_snapshot_schedulers(runner.param_schedulers))
        stack.enter_context(MessageHub.isolated())
        hub = MessageHub.get_current_instance()
        for name in ("epoch", "iter", "max_epochs", "max_iters"):  # which models read
            hub.update_info(name, getattr(runner, name))
        yield trial_optim_wrapper(runner.optim_wrapper)


def trial_optim_wrapper(wrapper: OptimWrapper) -> OptimWrapper:
    """Copy an optimizer wrapper for steps that the original does not count.

    Args:
        wrapper: The wrapper of one optimizer, which both share.

    Returns:
        The copy, at the beginning of a cycle of accumulated iterations, without gradients. A loss
        that is NaN does not stop it.
    """
    trial = copy.copy(wrapper)
    if hasattr(trial, "loss_scaler"):
        trial.loss_scaler = copy.deepcopy(trial.loss_scaler)
    trial.loss_normalizer = copy.copy(trial.loss_normalizer)
    trial.message_hub = MessageHub.get_current_instance()
    trial.loss_guard, trial.stop_on_nan_loss = None, False
    trial.zero_grad()
    trial.load_accumulation_state(
        {"inner_count": 0, "accumulative_counts": trial.accumulative_counts}
    )
    return trial


@contextmanager
def _preserved_loader(dataloader: Loader) -> Iterator[None]:
    samplers = [(each, dict(vars(each))) for each in samplers_of(dataloader)]
    stateful = stateful_part(dataloader)
    state = None if stateful is None else copy.deepcopy(stateful.state_dict())
    try:
        yield
    finally:
        end_workers(dataloader)
        for sampler, attributes in samplers:
            _restore_attributes(vars(sampler), attributes)
        if stateful is not None and state is not None:
            stateful.load_state_dict(state)


def _snapshot_model(model: nn.Module) -> Callable[[], None]:
    """Return a function that restores a model, with the same tensors as before."""
    parameters = [
        (each, each.detach().clone(), None if each.grad is None else (each.grad, each.grad.clone()))
        for each in model.parameters()
    ]
    modules = [
        (each, dict(vars(each)), {k: _with_copy(v) for k, v in each._buffers.items()})
        for each in model.modules()
    ]

    def restore() -> None:
        with torch.no_grad():
            for parameter, value, gradient in parameters:
                parameter.copy_(value)
                parameter.grad = None if gradient is None else gradient[0].copy_(gradient[1])
            for module, attributes, buffers in modules:
                _restore_attributes(vars(module), attributes)
                for name, (tensor, copied) in buffers.items():
                    module._buffers[name] = tensor if copied is None else tensor.copy_(copied)

    return restore


def _with_copy(tensor: Tensor | None) -> tuple[Any, Tensor | None]:
    return tensor, None if tensor is None else tensor.detach().clone()


def _snapshot_optimizer(wrapper: OptimWrapper) -> Callable[[], None]:
    """Return a function that restores the state and the settings of an optimizer."""
    optimizer: Optimizer = wrapper.optimizer
    state = {parameter: copy.deepcopy(each) for parameter, each in optimizer.state.items()}
    settings = [_copy_settings(group) for group in wrapper.param_groups]

    def restore() -> None:
        optimizer.state.clear()
        optimizer.state.update(state)
        for group, saved in zip(wrapper.param_groups, settings, strict=True):
            _restore_attributes(group, saved)

    return restore


def _copy_settings(group: Mapping[str, Any]) -> dict[str, Any]:
    # A rate may be a tensor, which is changed in its place.
    return {k: v.clone() if isinstance(v, Tensor) else v for k, v in group.items()}


def _snapshot_schedulers(schedulers: Schedulers | None) -> Callable[[], None]:
    lists = schedulers.values() if isinstance(schedulers, dict) else [schedulers or []]
    saved = [(each, dict(vars(each))) for part in lists for each in part]

    def restore() -> None:
        for scheduler, attributes in saved:
            _restore_attributes(vars(scheduler), attributes)

    return restore


def _restore_attributes(present: dict[str, Any], saved: Mapping[str, Any]) -> None:
    for name in set(present) - set(saved):
        del present[name]
    present.update(saved)
