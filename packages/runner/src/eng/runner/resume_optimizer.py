"""Restore the state of an optimizer after comparing it with the optimizer of the config."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import nn
from torch.optim import Optimizer

from eng.optim import BaseOptimWrapper, OptimWrapper
from eng.utils import StateDict

__all__ = ["ConfiguredOptimizer", "restore_optimizer"]

#: States of torch's optimizers that have the shape of their parameter.
_SHAPED_LIKE_PARAMETERS = {
    "momentum_buffer",
    "exp_avg",
    "exp_avg_sq",
    "exp_inf",
    "max_exp_avg_sq",
    "square_avg",
    "grad_avg",
    "acc_delta",
    "sum",
    "prev",
}


class ConfiguredOptimizer(NamedTuple):
    """An optimizer as its config makes it, before the state of a checkpoint replaces its settings.

    Attributes:
        groups: Settings of its parameter groups.
        is_restored: Whether the state of the checkpoint was loaded.
    """

    groups: list[StateDict]
    is_restored: bool

    @classmethod
    def of(
        cls, wrapper: Optimizer | BaseOptimWrapper, is_restored: bool = False
    ) -> ConfiguredOptimizer:
        """Record the present settings of a wrapper's groups.

        Args:
            wrapper: The wrapper.
            is_restored: Whether a state is about to be loaded. Defaults to False.

        Returns:
            The record.
        """
        groups = [
            {k: v for k, v in group.items() if k != "params"} for group in wrapper.param_groups
        ]
        return cls(groups, is_restored)


def restore_optimizer(
    wrapper: OptimWrapper,
    state: StateDict,
    name: str,
    logger: logging.Logger,
    *,
    is_sharded: bool = False,
    by_config: bool = False,
) -> StateDict | None:
    """Compare the state of an optimizer with the optimizer that is to load it.

    Each difference is reported in one line: the value of the checkpoint, that of the config, and
    which one is used.

    Args:
        wrapper: The wrapper as its config makes it.
        state: State of an optimizer, with its class under ``type`` if this package saved it.
        name: Name of the optimizer in messages.
        logger: Where differences are reported.
        is_sharded: Whether parameters are parts of those that the state is of, so that neither
            their number nor their shapes can be compared. Defaults to False.
        by_config: Whether scheduled settings start from the config's values. Defaults to False.

    Returns:
        The part of the state that matches; None if it cannot be loaded.
    """
    problem = _find_mismatch(wrapper, state, is_sharded)
    if problem is not None:
        logger.warning(f"{name}: {problem}. The state of the checkpoint is not loaded.")
        return None
    kept = {key: value for key, value in state.items() if key != "type"}
    wrong = {} if is_sharded else dict(_find_wrong_shapes(wrapper, state))
    if wrong:
        kept["state"] = {k: v for k, v in state["state"].items() if int(k) not in wrong}
        logger.warning(
            f"{name}: size mismatch in the state of {len(wrong)} parameters, such as "
            f"{next(iter(wrong.values()))}. Their state starts from scratch, the rest is restored."
        )
    _report_settings(wrapper, state, name, logger, by_config)
    if ("loss_scaler" in state) != hasattr(wrapper, "loss_scaler"):
        has = "loss_scaler" in state
        logger.warning(
            f"{name}: the checkpoint was trained {'with' if has else 'without'} an "
            f"AmpOptimWrapper, the config has a {type(wrapper).__name__}. "
            f"{'Its loss scale is not loaded.' if has else 'The loss scale starts from scratch.'}"
        )
    return kept


def _find_mismatch(wrapper: OptimWrapper, state: StateDict, is_sharded: bool) -> str | None:
    """Explain why a state cannot be loaded at all."""
    optimizer = wrapper.optimizer
    kind = type(optimizer).__name__
    if "param_groups" not in state or "state" not in state:
        return f"the checkpoint has the states of {sorted(map(str, state))}, the config one {kind}"
    if state.get("type", kind) != kind:
        return f"the checkpoint has the state of {state['type']}, the config {kind}"
    saved, own = state["param_groups"], optimizer.param_groups
    if len(saved) != len(own):
        return f"the checkpoint has {len(saved)} parameter groups, the config {len(own)}"
    for number, (theirs, ours) in enumerate(zip(saved, own, strict=True)):
        if len(theirs["params"]) != len(ours["params"]) and not is_sharded:
            return (
                f"group {number} has {len(theirs['params'])} parameters in the checkpoint and "
                f"{len(ours['params'])} now"
            )
        missing, foreign = (
            set(a) - set(b) for a, b in ((optimizer.defaults, theirs), (theirs, ours))
        )
        foreign = {key for key in foreign if not str(key).startswith("initial_")}
        if missing and foreign:  # an older torch lacks settings, but has no unknown ones
            return (
                f"the checkpoint has an optimizer with {', '.join(sorted(foreign))}, the config "
                f"{kind} with {', '.join(sorted(missing))}"
            )
    return None


def _find_wrong_shapes(wrapper: OptimWrapper, state: StateDict) -> Iterator[tuple[int, str]]:
    """Find parameters whose saved state has another shape, each with the mismatch."""
    parameters: list[nn.Parameter] = [
        p for g in wrapper.optimizer.param_groups for p in g["params"]
    ]
    numbers = [int(n) for group in state["param_groups"] for n in group["params"]]
    by_number = dict(zip(numbers, parameters, strict=True))
    for number, values in state["state"].items():
        parameter = by_number.get(int(number))
        if parameter is None:
            continue
        for key, value in values.items():
            is_shaped = key in _SHAPED_LIKE_PARAMETERS and isinstance(value, torch.Tensor)
            if is_shaped and value.dim() and value.shape != parameter.shape:
                shapes = f"{tuple(value.shape)} instead of {tuple(parameter.shape)}"
                yield int(number), f"{key} of parameter {number}, {shapes}"
                break


def _report_settings(
    wrapper: OptimWrapper,
    state: StateDict,
    name: str,
    logger: logging.Logger,
    by_config: bool,
) -> None:
    """Report settings that differ. All but scheduled ones are taken from the checkpoint."""
    changed: dict[str, tuple[object, object]] = {}
    arguments = _find_arguments(wrapper.optimizer)
    for theirs, ours in zip(state["param_groups"], wrapper.optimizer.param_groups, strict=True):
        for key, value in ours.items():
            initial = f"initial_{key}"
            # A scheduled setting changes in training: a config can change its initial value.
            is_scheduled = initial in ours or initial in theirs
            if key == "params" or is_scheduled or key not in theirs:
                continue
            if arguments is not None and key.removeprefix("initial_") not in arguments:
                continue  # a state that the optimizer keeps there, as of its mode
            pair = (theirs[key], value)
            if all(map(_is_plain, pair)) and _as_list(pair[0]) != _as_list(pair[1]):
                changed.setdefault(str(key), pair)
    for key, (saved, given) in changed.items():
        is_scheduled = key.startswith("initial_")
        used = "config's" if is_scheduled and by_config else "checkpoint's"
        can_change = is_scheduled and not by_config
        remedy = " (resume_schedule='config' uses the config's)" if can_change else ""
        logger.warning(
            f"{name}: the checkpoint has {key.removeprefix('initial_')}={saved!r}, the config "
            f"{given!r}. The {used} is used{remedy}."
        )


def _find_arguments(optimizer: Optimizer) -> set[str] | None:
    """Names of the arguments of an optimizer, None where it takes any."""
    parameters = inspect.signature(type(optimizer).__init__).parameters
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values()):
        return None
    return set(parameters)


def _is_plain(value: object) -> bool:
    return isinstance(value, (int, float, str, bool, list, tuple, type(None)))


def _as_list(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
