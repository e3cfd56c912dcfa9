"""States of optimizers by the names of their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.optim import Optimizer

from eng.dl_utils import plain_name
from eng.utils import StateDict

__all__ = ["name_parameters", "number_parameters"]


def name_parameters(module: nn.Module, optimizer: Optimizer, state: StateDict) -> StateDict:
    """Replace the numbers of parameters in the state of an optimizer by their names.

    Args:
        module: The model, possibly wrapped.
        optimizer: The optimizer.
        state: Its ``state_dict()``.

    Returns:
        The state, in which a parameter that is not the model's has its number as a text.
    """
    names = {each: plain_name(module, name) for name, each in module.named_parameters()}
    order = [each for group in optimizer.param_groups for each in group["params"]]
    numbers = [each for group in state["param_groups"] for each in group["params"]]
    known = {n: names.get(p, str(n)) for n, p in zip(numbers, order, strict=True)}
    return {
        **state,
        "state": {known.get(number, number): each for number, each in state["state"].items()},
        "param_groups": [
            {**group, "params": [known[number] for number in group["params"]]}
            for group in state["param_groups"]
        ],
    }


def number_parameters(state: Any) -> Any:
    """Replace names of parameters by numbers, as in :meth:`torch.optim.Optimizer.state_dict`.

    Args:
        state: The state of an optimizer, or several by name. Any other is returned as it is.
    """
    if not isinstance(state, Mapping):
        return state
    groups = state.get("param_groups")
    if not isinstance(groups, list) or not isinstance(state.get("state"), Mapping):
        return {name: number_parameters(each) for name, each in state.items()}
    numbers: dict[object, int] = {}
    for group in groups:
        for name in group["params"]:
            numbers.setdefault(name, len(numbers))
    return {
        **state,
        "state": {numbers.get(name, name): each for name, each in state["state"].items()},
        "param_groups": [
            {**group, "params": [numbers[name] for name in group["params"]]} for group in groups
        ],
    }
