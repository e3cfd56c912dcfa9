"""Learning-rate range test."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from torch import Tensor
from torch.nn.parameter import is_lazy

from eng.dist import get_world_size
from eng.optim import OptimWrapper, OptimWrapperDict
from eng.utils import DataBatch, UserError

from .arguments import check_steps
from .counts import check_count
from .errors import RunnerConfigError
from .first_mistakes import mistakes_explained
from .learning_rates import LearningRateCurve, exponential_rates
from .preserved_training import preserved_training, trial_optim_wrapper
from .runner import Runner
from .train_loops import TrainLoop
from .types import Loader

__all__ = ["find_learning_rate", "try_learning_rates"]

#: A loss has diverged when it is this many times the best one.
_DIVERGED = 4.0
#: Share of each new loss in the average that tells whether it has diverged.
_SHARE = 0.2


def find_learning_rate(
    runner: Runner, *, start: float = 1e-7, end: float = 10.0, num_iters: int = 100
) -> LearningRateCurve:
    """Train with a rising learning rate, and suggest the one at which the loss falls fastest.

    This is the range test of `Smith (2017) <https://arxiv.org/abs/1506.01186>`_. It ends early when
    the loss diverges. Afterwards model, optimizer, schedules, random generators and the position in
    the data are as before: training that follows is the same as without it. A stream of data that
    has no state is further on, though. Hooks are not called.

    The rate is that of ``optimizer.lr`` in the config; parameter groups keep their ratios to it.

    Args:
        runner: The runner, not within its training. The test starts from its present weights.
        start: The first learning rate. Defaults to 1e-7.
        end: The last one. Defaults to 10.
        num_iters: Number of updates. Defaults to 100.

    Returns:
        The losses by learning rate, with a suggestion.

    Raises:
        UserError: If there are several processes, several optimizers or lazy parameters, the range
            is empty, or ``train_step`` does not return a loss.
    """
    rates = _plan_rates(start, end, num_iters)
    lazy = [name for name, each in runner._ready().named_parameters() if is_lazy(each)]
    if lazy:
        raise UserError(
            f"{', '.join(lazy)} of the model have no shape yet, so that they could not be restored:"
            " call the model on a batch before"
        )
    loop = _prepare(runner)
    with preserved_training(runner, loop.batches) as wrapper:
        return _take_steps(runner, wrapper, rates)


def try_learning_rates(
    runner: Runner, start: float, end: float, num_iters: int
) -> LearningRateCurve:
    """Run the test in a run that is of no use afterwards, without keeping a copy of its state.

    Args:
        runner: The runner.
        start: The first learning rate.
        end: The last one.
        num_iters: Number of updates.

    Returns:
        The losses by learning rate.

    Raises:
        UserError: See :func:`find_learning_rate`.
    """
    rates = _plan_rates(start, end, num_iters)
    _prepare(runner)
    return _take_steps(runner, trial_optim_wrapper(runner.optim_wrapper), rates)


def _prepare(runner: Runner) -> TrainLoop:
    """Prepare training, and refuse runs that cannot be tested."""
    if get_world_size() > 1:
        raise UserError("the learning-rate range test is for a single process")
    check_steps(runner._ready(), "train_step")
    loop = runner._loops.train.require("for the learning-rate range test")
    runner._prepare_training()
    if isinstance(runner.optim_wrapper, OptimWrapperDict):
        names = ", ".join(runner.optim_wrapper.keys())
        raise UserError(f"the learning-rate range test is for one optimizer, not several ({names})")
    return loop


def _plan_rates(start: float, end: float, num_iters: int) -> list[float]:
    check_count("num_iters", num_iters, least=10)
    if not (0 < start < end and math.isfinite(end)):
        raise RunnerConfigError(
            "the learning rates must rise from a positive start to a finite end, not from "
            f"{start} to {end}"
        )
    return exponential_rates(start, end, num_iters)


def _take_steps(runner: Runner, wrapper: OptimWrapper, rates: list[float]) -> LearningRateCurve:
    batches = _repeat(runner.train_dataloader)
    factors = _relative_rates(wrapper)
    losses: list[float] = []
    best, average = math.inf, 0.0
    runner.model.train()
    with mistakes_explained(runner.model, "train_dataloader"):
        for count, rate in enumerate(rates, 1):
            _set_rate(wrapper, factors, rate)
            loss = _train_one_update(runner.model, batches, wrapper)
            if not math.isfinite(loss):
                break
            losses.append(loss)
            average += _SHARE * (loss - average)
            unbiased = average / (1 - (1 - _SHARE) ** count)
            best = min(best, unbiased)
            if unbiased > best + (_DIVERGED - 1) * abs(best):
                break
    return LearningRateCurve(tuple(rates[: len(losses)]), tuple(losses), len(rates))


def _train_one_update(model: Any, batches: Iterator[DataBatch], wrapper: OptimWrapper) -> float:
    """Train on the batches of one update, and return the mean of their losses."""
    losses = []
    for _ in range(wrapper.accumulative_counts):
        outputs = model.train_step(next(batches), optim_wrapper=wrapper)
        if not isinstance(outputs, dict) or "loss" not in outputs:
            raise UserError(
                f"train_step of {type(model).__name__} must return a dict with 'loss', not "
                f"{sorted(outputs) if isinstance(outputs, dict) else type(outputs).__name__}"
            )
        losses.append(float(outputs["loss"]))
    return sum(losses) / len(losses)


def _repeat(dataloader: Loader) -> Iterator[DataBatch]:
    while True:
        yield from dataloader


def _relative_rates(wrapper: OptimWrapper) -> list[float]:
    """Rates of the parameter groups, as multiples of the rate in the config."""
    groups = wrapper.param_groups
    rates = [float(group["initial_lr" if "initial_lr" in group else "lr"]) for group in groups]
    base = rates[-1] if wrapper.base_param_settings is not None else rates[0]
    if base <= 0:
        raise UserError(
            f"the learning rate of the optimizer is {base}: set a positive one, to which those of "
            "the parameter groups are relative"
        )
    return [rate / base for rate in rates]


def _set_rate(wrapper: OptimWrapper, factors: list[float], rate: float) -> None:
    for group, factor in zip(wrapper.param_groups, factors, strict=True):
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate * factor)
        else:
            group["lr"] = rate * factor
