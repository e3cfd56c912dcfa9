"""Save and load state dicts of models sharded by FSDP, ``fully_shard`` or tensor parallelism.

A checkpoint of a sharded model equals that of the same model without sharding, so each can be
loaded into the other. All functions are called in all processes.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from eng.dist import is_main_process
from eng.dl_utils import plain_name, unwrap
from eng.utils import StateDict

from .named_optimizer import name_parameters
from .shards import has_sharded_parameters, is_dtensor

if TYPE_CHECKING:
    from torch.distributed.checkpoint.state_dict import StateDictOptions

__all__ = [
    "full_model_state",
    "full_optimizer_state",
    "is_sharded",
    "load_full_model_state",
    "load_full_optimizer_state",
    "model_shards",
    "optimizer_shards",
    "shards_to_load",
]


def is_sharded(module: nn.Module) -> bool:
    """Whether FSDP, ``fully_shard`` or tensor parallelism was applied to a module or a submodule.

    So it is if a parameter is split over processes, as in the average of a sharded model.

    Args:
        module: The module, possibly wrapped.
    """
    kinds = _list_sharded_types()
    is_wrapped = bool(kinds) and any(isinstance(part, kinds) for part in module.modules())
    return is_wrapped or has_sharded_parameters(module)


def full_model_state(module: nn.Module) -> OrderedDict[str, Tensor]:
    """Gather the parameters and buffers of a sharded module on the CPU of rank 0.

    Args:
        module: The module, possibly wrapped.

    Returns:
        Full tensors by their names without wrappers; empty on other ranks.
    """
    from torch.distributed.checkpoint.state_dict import get_model_state_dict

    root = _find_root(module)
    state: Any = get_model_state_dict(root, options=_make_gather_options(root))
    return OrderedDict(state) if is_main_process() else OrderedDict()


def model_shards(module: nn.Module) -> OrderedDict[str, Tensor]:
    """Return the shards of this process of a sharded module, by their names without wrappers.

    Args:
        module: The module, possibly wrapped.

    Returns:
        ``DTensor`` that share memory with the module, ``ShardedTensor`` of FSDP1, which are
        copies, and whole tensors of what is not sharded.
    """
    from torch.distributed.checkpoint.state_dict import get_model_state_dict

    state: Any = get_model_state_dict(_find_root(module))
    return OrderedDict(state)


def shards_to_load(module: nn.Module) -> dict[str, Tensor]:
    """Return the tensors of a module of which a process loads its shard alone.

    Args:
        module: The module, possibly wrapped.

    Returns:
        ``DTensor`` by their names without wrappers. None of FSDP1, which takes its shards of whole
        tensors.
    """
    if not has_sharded_parameters(module):
        return {}
    return {name: each for name, each in model_shards(module).items() if is_dtensor(each)}


def optimizer_shards(module: nn.Module, optimizer: Optimizer, state: StateDict) -> StateDict:
    """Return the state of an optimizer by the names of parameters, of a sharded model its shards.

    Args:
        module: The model, possibly wrapped.
        optimizer: The optimizer.
        state: Its state, as of :meth:`torch.optim.Optimizer.state_dict`, with further entries.

    Returns:
        The state by name.
    """
    if not _has_flat_parameters(module):
        return name_parameters(module, optimizer, state)
    from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

    shards: Any = get_optimizer_state_dict(_find_root(module), optimizer)
    return {**state, **shards}


def load_full_model_state(
    module: nn.Module, state_dict: Mapping[str, Tensor]
) -> tuple[list[str], list[str], list[str]]:
    """Load matching full tensors, or shards of them, into a sharded module.

    Args:
        module: The module, possibly wrapped.
        state_dict: Full tensors by name, the same in every process, or ``DTensor``.

    Returns:
        Missing keys, unexpected keys, and a message for each size mismatch.
    """
    from torch.distributed.checkpoint.state_dict import (
        StateDictOptions,
        get_model_state_dict,
        set_model_state_dict,
    )

    root = _find_root(module)
    wanted: Any = get_model_state_dict(root)
    shapes = {name: value.shape for name, value in wanted.items()}
    unfitting = {
        name: f"size mismatch for {name}: {tuple(value.shape)} in the state_dict, "
        f"{tuple(shapes[name])} in the model"
        for name, value in state_dict.items()
        if name in shapes and value.shape != shapes[name]
    }
    fitting: Any = {n: v for n, v in state_dict.items() if n in shapes and n not in unfitting}
    shards = {name: fitting.pop(name) for name in list(fitting) if is_dtensor(fitting[name])}
    with torch.no_grad():
        for name, value in shards.items():
            wanted[name].copy_(value)
    if fitting:
        set_model_state_dict(
            root, fitting, options=StateDictOptions(full_state_dict=True, strict=False)
        )
    missing = [name for name in shapes if name not in state_dict]
    unexpected = [name for name in state_dict if name not in shapes]
    return missing, unexpected, list(unfitting.values())


def full_optimizer_state(module: nn.Module, optimizer: Optimizer) -> StateDict:
    """Gather the state of an optimizer of a sharded module on the CPU of rank 0.

    Args:
        module: The module, possibly wrapped.
        optimizer: The optimizer of its parameters.

    Returns:
        The state in the format of :meth:`torch.optim.Optimizer.state_dict` without sharding; empty
        on other ranks.
    """
    from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

    root = _find_root(module)
    state: Any = get_optimizer_state_dict(root, optimizer, options=_make_gather_options(root))
    if not is_main_process():
        return {}
    numbers: dict[str, int] = {}
    for group in state["param_groups"]:
        for name in group["params"]:
            numbers[name] = len(numbers)
    return {
        "state": {numbers[name]: _copy_to_cpu(values) for name, values in state["state"].items()},
        "param_groups": [
            {**group, "params": [numbers[name] for name in group["params"]]}
            for group in state["param_groups"]
        ],
    }


def load_full_optimizer_state(
    module: nn.Module, optimizer: Optimizer, state_dict: StateDict
) -> None:
    """Load the state of an optimizer without sharding into the optimizer of a sharded module.

    Args:
        module: The module, possibly wrapped.
        optimizer: The optimizer of its parameters.
        state_dict: The full state, the same in every process.
    """
    from torch.distributed.checkpoint.state_dict import StateDictOptions, set_optimizer_state_dict

    root = _find_root(module)
    by_parameter = {p: plain_name(root, name) for name, p in root.named_parameters()}
    names = [by_parameter[p] for group in optimizer.param_groups for p in group["params"]]
    named: Any = {
        "state": {names[number]: dict(values) for number, values in state_dict["state"].items()},
        "param_groups": [
            {**group, "params": [names[number] for number in group["params"]]}
            for group in state_dict["param_groups"]
        ],
    }
    set_optimizer_state_dict(root, optimizer, named, options=StateDictOptions(full_state_dict=True))


def _make_gather_options(root: nn.Module) -> StateDictOptions:
    from torch.distributed.checkpoint.state_dict import StateDictOptions

    # With cpu_offload, FSDP on the CPU frees gathered tensors before they are read: its move to
    # the CPU makes no copy there.
    device = getattr(root, "compute_device", None)
    return StateDictOptions(
        full_state_dict=True, cpu_offload=device is None or device.type != "cpu"
    )


def _has_flat_parameters(module: nn.Module) -> bool:
    """Whether FSDP1 was applied, whose parameters are parts of flat ones."""
    kinds = _list_sharded_types()[:1]
    return any(isinstance(part, kinds) for part in module.modules())


def _find_root(module: nn.Module) -> nn.Module:
    """Return the outermost sharded module, below other wrappers and compiled modules."""
    return unwrap(module, keep=_list_sharded_types())


def _list_sharded_types() -> tuple[type, ...]:
    # A program that shards has imported it; importing it here takes as long as torch itself.
    fsdp = sys.modules.get("torch.distributed.fsdp")
    names = ("FullyShardedDataParallel", "FSDPModule")
    return tuple(getattr(fsdp, name) for name in names if hasattr(fsdp, name))


def _copy_to_cpu(values: Mapping[str, object]) -> dict[str, object]:
    return {
        key: value.detach().cpu() if isinstance(value, torch.Tensor) else value
        for key, value in values.items()
    }
