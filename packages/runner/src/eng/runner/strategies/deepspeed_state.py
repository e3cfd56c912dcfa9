"""Whole weights and optimizer states of a model that DeepSpeed shards.

Parameters are assembled and written one after the other, by all processes together.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from eng.checkpoint import CheckpointError, load_state_dict
from eng.dist import get_rank
from eng.utils import StateDict

__all__ = ["gather_optimizer", "gather_weights", "put_optimizer", "put_weights"]


def gather_weights(engine: Any) -> StateDict:
    """Gather parameters, in full precision, and buffers.

    Args:
        engine: The engine.

    Returns:
        Tensors by name, on the CPU.
    """
    safe_get_full_fp32_param = _function("safe_get_full_fp32_param")

    module: nn.Module = engine.module
    parameters = dict(module.named_parameters(remove_duplicate=False))
    with _gathered(engine):
        state = {name: each.detach().cpu().clone() for name, each in module.state_dict().items()}
    for name, parameter in parameters.items():
        whole = safe_get_full_fp32_param(parameter) if _is_trained(parameter) else None
        if whole is not None and name in state:
            state[name] = whole.detach().cpu().reshape(state[name].shape)
    return state


def put_weights(
    engine: Any, state: Mapping[str, Tensor], strict: bool, logger: logging.Logger
) -> None:
    """Load weights into the model, and into its parameters in full precision.

    Args:
        engine: The engine.
        state: Tensors by name.
        strict: Whether missing and unexpected keys and size mismatches are an error.
        logger: The logger of the run.
    """
    with _gathered(engine, modifies=True):
        load_state_dict(engine.module, state, strict, logger)
    for name, parameter in engine.module.named_parameters():
        value = state.get(name)
        if value is not None and value.shape == _shape_of(parameter) and _is_trained(parameter):
            _put(parameter, value)


def gather_optimizer(
    engine: Any, optimizer: Optimizer, groups: Sequence[Sequence[str]]
) -> StateDict:
    """Gather the state of the optimizer, in the format without DeepSpeed.

    Args:
        engine: The engine.
        optimizer: The optimizer that it was made with.
        groups: Names of the parameters of each group.

    Returns:
        The state, as of :meth:`torch.optim.Optimizer.state_dict`.
    """
    safe_get_full_optimizer_state = _function("safe_get_full_optimizer_state")

    if not _is_sharded(engine):
        return {**optimizer.state_dict(), "type": type(optimizer).__name__}
    parameters = dict(engine.module.named_parameters())
    keys, counts = _keys_of(optimizer)
    state: dict[int, StateDict] = {}
    numbered = []
    number = 0
    for settings, names in zip(optimizer.param_groups, groups, strict=True):
        numbers = range(number, number + len(names))
        numbered.append({**settings, "params": list(numbers)})
        for number, name in zip(numbers, names, strict=True):
            parameter = parameters[name]
            shards = {key: safe_get_full_optimizer_state(parameter, key) for key in keys}
            entry = {
                key: each.detach().cpu().reshape(_shape_of(parameter))
                for key, each in shards.items()
                if each is not None
            }
            state[number] = {**entry, **copy.deepcopy(counts)}  # which optimizers add to in place
        number = numbers.stop
    return {"state": state, "param_groups": numbered, "type": type(optimizer).__name__}


def put_optimizer(
    engine: Any, optimizer: Optimizer, groups: Sequence[Sequence[str]], state: StateDict
) -> None:
    """Load a state of the optimizer in the format without DeepSpeed.

    Args:
        engine: The engine.
        optimizer: The optimizer that it was made with.
        groups: Names of the parameters of each group.
        state: The state.

    Raises:
        CheckpointError: If it has other groups.
    """
    saved = state["param_groups"]
    if [len(each["params"]) for each in saved] != [len(each) for each in groups]:
        raise CheckpointError(
            f"the state of the optimizer has groups of {[len(g['params']) for g in saved]} "
            f"parameters, the optimizer has {[len(g) for g in groups]}"
        )
    if not _is_sharded(engine):
        optimizer.load_state_dict({key: state[key] for key in ("state", "param_groups")})
        return
    _make_states(engine, optimizer, state["state"])
    parameters = dict(engine.module.named_parameters())
    for settings, given, names in zip(optimizer.param_groups, saved, groups, strict=True):
        settings.update({key: each for key, each in given.items() if key != "params"})
        for number, name in zip(given["params"], names, strict=True):
            parameter = parameters[name]
            for key, value in state["state"].get(number, {}).items():
                if isinstance(value, Tensor) and value.shape == _shape_of(parameter):
                    _put(parameter, value, key)


def _make_states(engine: Any, optimizer: Optimizer, saved: Mapping[int, StateDict]) -> None:
    """Make the states of an optimizer before its first step, with the counts of saved ones."""
    first: StateDict = next(iter(saved.values()), {})
    shards = getattr(engine.optimizer, "fp32_partitioned_groups_flat", None)  # of stage 3
    if shards is None:
        shards = [each for group in optimizer.param_groups for each in group["params"]]
    for shard in shards:
        state = optimizer.state[shard]
        for key, value in first.items():
            if _is_count(value):
                state[key] = copy.deepcopy(value)
            elif isinstance(value, Tensor) and not isinstance(state.get(key), Tensor):
                state[key] = torch.zeros_like(shard)
    link = getattr(engine.optimizer, "_lazy_init_hp_params_optimizer_state", None)
    if link is not None:
        link()


def _put(parameter: Any, value: Tensor, *key: str) -> None:
    """Put a whole tensor in place of a parameter in full precision, or of one of its states."""
    whole = value.to(parameter.device, torch.float32)
    kind = "optimizer_state" if key else "fp32_param"
    if hasattr(parameter, "ds_id"):  # stage 3, whose last shards are padded
        size = parameter.ds_tensor.numel()
        start = get_rank(parameter.ds_process_group) * size
        shard = whole.new_zeros(size)
        part = whole.flatten()[start : start + size]
        shard[: part.numel()] = part
        _function(f"safe_set_local_{kind}")(parameter, shard, *key)
        return
    _function(f"safe_set_full_{kind}")(parameter, whole, *key)


def _function(name: str) -> Callable[..., Any]:
    """Return a function of DeepSpeed, which is imported when it is used."""
    found: Callable[..., Any] = getattr(import_module("deepspeed.utils"), name)
    return found


def _keys_of(optimizer: Optimizer) -> tuple[list[str], StateDict]:
    """Keys of the states that have the size of parameters, and the counts of steps."""
    first: StateDict = next(iter(optimizer.state.values()), {})
    counts = {key: each for key, each in first.items() if _is_count(each)}
    return [key for key, each in first.items() if key not in counts and each is not None], counts


def _is_count(value: object) -> bool:
    return (
        value.dim() == 0
        if isinstance(value, Tensor)
        else isinstance(value, (int, float)) and not isinstance(value, bool)
    )


def _is_sharded(engine: Any) -> bool:
    """Whether the optimizer of the engine is not the one that it was made with."""
    return hasattr(engine.optimizer, "optimizer")


def _is_trained(parameter: object) -> bool:
    """Whether an optimizer may have a parameter in full precision."""
    return not hasattr(parameter, "ds_id") or hasattr(parameter, "_z3_optimizer")


def _shape_of(parameter: Any) -> torch.Size:
    """The shape of a parameter, also of one that stage 3 has sharded."""
    return torch.Size(getattr(parameter, "ds_shape", parameter.shape))


def _gathered(engine: Any, modifies: bool = False) -> Any:
    """Within the block, the parameters of stage 3 are whole."""
    parameters = [each for each in engine.module.parameters() if hasattr(each, "ds_id")]
    if not parameters:
        return nullcontext()
    return import_module("deepspeed").zero.GatheredParameters(
        parameters, modifier_rank=0 if modifies else None
    )
