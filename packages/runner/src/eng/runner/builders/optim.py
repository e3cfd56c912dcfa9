"""Build optimizer wrappers and parameter schedulers from configs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol

from torch import nn
from torch.optim import Optimizer

import eng.optim
from eng.dataset import length_of
from eng.logging import print_log
from eng.optim import BaseOptimWrapper, OptimWrapper, OptimWrapperDict, _ParamScheduler
from eng.registry import OPTIM_WRAPPERS, PARAM_SCHEDULERS

from ..dataloader_info import samples_per_step
from ..errors import RunnerAssertionError, RunnerConfigError, RunnerTypeError
from ..types import Loader, OptimizerOrConfig, Schedulers, SchedulersOrConfigs, Settings

__all__ = [
    "TrainingLength",
    "build_optim_wrapper",
    "build_param_scheduler",
    "end_of_training",
    "scale_learning_rate",
]


class TrainingLength(Protocol):
    """The part of a training loop that schedules follow."""

    @property
    def dataloader(self) -> Loader:
        """The data loader of training."""

    @property
    def max_epochs(self) -> int:
        """Epochs of the whole training."""

    @property
    def max_iters(self) -> int:
        """Iterations of the whole training."""


def build_optim_wrapper(model: nn.Module, optim_wrapper: OptimizerOrConfig) -> OptimWrapper:
    """Build an optimizer wrapper.

    Args:
        model: The model whose parameters are updated.
        optim_wrapper: A wrapper, which is returned as it is; an optimizer of torch; a config with
            ``optimizer``; a config with ``constructor`` for several optimizers; or a dict of
            wrappers.

    Returns:
        The wrapper, whose optimizer is in the mode of training if it has modes.

    Raises:
        RunnerConfigError: If it is none of these.
    """
    built = _build_optim_wrapper(model, optim_wrapper)
    if isinstance(built, BaseOptimWrapper):  # one of another package may be of any class
        built.train()
    return built


def _build_optim_wrapper(model: nn.Module, optim_wrapper: OptimizerOrConfig) -> OptimWrapper:
    if isinstance(optim_wrapper, BaseOptimWrapper):
        return optim_wrapper
    if isinstance(optim_wrapper, Optimizer):
        return OptimWrapper(optim_wrapper)
    if not isinstance(optim_wrapper, Mapping):
        raise RunnerTypeError(
            "optim_wrapper must be an OptimWrapper, an optimizer of torch or a config such as "
            "dict(optimizer=dict(type='SGD', lr=0.1)), "
            f"not {type(optim_wrapper).__name__}"
        )
    cfg = dict(optim_wrapper)
    optimizer = cfg.get("optimizer")
    if isinstance(optimizer, Optimizer):
        return OPTIM_WRAPPERS.build({"type": "OptimWrapper", **cfg})
    if optimizer is not None or "constructor" in cfg:
        return eng.optim.build_optim_wrapper(model, cfg)
    if cfg and all(isinstance(wrapper, OptimWrapper) for wrapper in cfg.values()):
        return OptimWrapperDict(**cfg)
    raise RunnerConfigError(
        "optim_wrapper needs an 'optimizer', or a 'constructor' if it configures several "
        f"optimizers, or wrappers by name; it has {sorted(cfg)}"
    )


def build_param_scheduler(
    scheduler: SchedulersOrConfigs, optim_wrapper: OptimWrapper, train_loop: TrainingLength | None
) -> Schedulers:
    """Build parameter schedulers.

    Args:
        scheduler: A scheduler or its config, a list of these, or, with several optimizers, a
            dict of them by the name of the optimizer.
        optim_wrapper: The wrapper whose settings are scheduled.
        train_loop: The loop, for the length of an epoch and the end of training. None is enough for
            schedulers that are built already.

    Returns:
        The schedulers; with several optimizers, by name.

    Raises:
        RunnerConfigError: If a name is not that of an optimizer, or there is a config but no loop.
    """
    if not isinstance(optim_wrapper, OptimWrapperDict):
        return _build_list(scheduler, optim_wrapper, train_loop)
    if isinstance(scheduler, Mapping) and "type" not in scheduler:  # by name
        unknown = sorted(set(scheduler) - set(optim_wrapper.keys()))
        if unknown:
            raise RunnerConfigError(
                f"param_scheduler names {unknown}; the optimizers are {list(optim_wrapper.keys())}"
            )
        return {
            name: _build_list(each, optim_wrapper[name], train_loop)
            for name, each in scheduler.items()
        }
    return {
        name: _build_list(scheduler, wrapper, train_loop) for name, wrapper in optim_wrapper.items()
    }


def _build_list(
    scheduler: SchedulersOrConfigs, optim_wrapper: OptimWrapper, train_loop: TrainingLength | None
) -> list[_ParamScheduler]:
    given = scheduler if isinstance(scheduler, (list, tuple)) else [scheduler]
    built = []
    for each in given:
        if isinstance(each, _ParamScheduler):
            built.append(each)
            continue
        if not isinstance(each, Mapping):
            raise RunnerTypeError(
                f"param_scheduler must have schedulers or configs, not {type(each).__name__}"
            )
        if train_loop is None:
            raise RunnerConfigError(
                "a scheduler config needs a training loop for its length: set train_dataloader, "
                "train_cfg and optim_wrapper"
            )
        cfg = dict(each)
        follows_training = "end" not in cfg
        if follows_training:
            clock = cfg.get("by") or ("epoch" if cfg.get("by_epoch", True) else "iter")
            cfg["end"], unit = end_of_training(clock, optim_wrapper, train_loop)
            print_log(
                f"{cfg['type']} lasts until the end of training, {cfg['end']} {unit}.", "current"
            )
        defaults = {"optimizer": optim_wrapper, "epoch_length": length_of(train_loop.dataloader)}
        built.append(PARAM_SCHEDULERS.build(cfg, default_args=defaults))
        if follows_training:
            built[-1].follows_training = True
        _warn_of_epochs(built[-1], train_loop)
    return built


def _warn_of_epochs(scheduler: _ParamScheduler, train_loop: TrainingLength) -> None:
    """Warn of a scheduler that counts the epochs of a training that has none."""
    progress = getattr(train_loop, "progress", None)
    if getattr(progress, "by_epoch", True) or not scheduler.by_epoch:
        return
    if getattr(scheduler, "need_val_args", False):  # it steps after each validation
        return
    print_log(
        f"{type(scheduler).__name__} counts epochs (by_epoch=True), but training is by iterations, "
        "which end no epoch before its end: it changes nothing. Set by_epoch=False, and its "
        "numbers in iterations.",
        logger="current",
        level=logging.WARNING,
    )


def end_of_training(
    clock: str, optim_wrapper: Optimizer | BaseOptimWrapper, train_loop: TrainingLength
) -> tuple[int, str]:
    """The end of training by the clock of a scheduler.

    Args:
        clock: ``'epoch'``, ``'iter'`` or ``'step'``.
        optim_wrapper: The wrapper whose updates are counted by ``'step'``.
        train_loop: The loop of training.

    Returns:
        The end, and its unit.
    """
    if clock == "epoch":
        return train_loop.max_epochs, "epochs"
    if clock == "step":
        # The last cycle of accumulated gradients updates as well if it is shorter.
        return -(
            -train_loop.max_iters // getattr(optim_wrapper, "accumulative_counts", 1)
        ), "updates"
    return train_loop.max_iters, "iterations"


def scale_learning_rate(
    optim_wrapper: OptimWrapper, auto_scale_lr: Settings, dataloader: Loader
) -> None:
    """Scale learning rates by how much larger the batch is than the one they were chosen for.

    The linear rule of "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour" (Goyal et al.,
    2017).

    Args:
        optim_wrapper: The wrapper, before its schedulers are built.
        auto_scale_lr: Has ``base_batch_size``, the batch that the rates are meant for.
        dataloader: The data loader of training, which has the real batch size.

    Raises:
        RunnerConfigError: If ``base_batch_size`` is missing.
    """
    if "base_batch_size" not in auto_scale_lr:
        raise RunnerAssertionError(
            f"auto_scale_lr needs a 'base_batch_size'; it has {sorted(auto_scale_lr)}"
        )
    real_batch_size = samples_per_step(dataloader)
    ratio = real_batch_size / auto_scale_lr["base_batch_size"]
    print_log(
        f"Learning rates are scaled by {ratio:g}: the batch is {real_batch_size}, they are meant "
        f"for {auto_scale_lr['base_batch_size']}.",
        logger="current",
    )
    wrappers = (
        optim_wrapper.values() if isinstance(optim_wrapper, OptimWrapperDict) else [optim_wrapper]
    )
    for wrapper in wrappers:
        for group in wrapper.param_groups:
            group["lr"] *= ratio
