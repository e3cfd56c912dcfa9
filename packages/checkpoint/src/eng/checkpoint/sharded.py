"""Full states of models whose parameters are sharded over processes, by FSDP or ``fully_shard``.

A checkpoint is the same whether the model was sharded or not, and so can be loaded either way.
All of these functions are called in all processes.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from eng.dist import is_main_process
from eng.dl_utils import plain_name, unwrap

__all__ = [
    "full_model_state",
    "full_optimizer_state",
    "is_sharded",
    "load_full_model_state",
    "load_full_optimizer_state",
]


def is_sharded(module: nn.Module) -> bool:
    """Whether parameters of a module are sharded over processes.

    Args:
        module: The module, possibly wrapped.

    Returns:
        Whether FSDP or ``fully_shard`` was applied to it or to a part of it.
    """
    kinds = _sharded_kinds()
    return bool(kinds) and any(isinstance(part, kinds) for part in module.modules())


def full_model_state(module: nn.Module) -> OrderedDict[str, Tensor]:
    """Gather the parameters and buffers of a sharded module on the CPU of the first process.

    Args:
        module: The module, possibly wrapped.

    Returns:
        Whole tensors by the names that they have without wrappers; empty in other processes.
    """
    from torch.distributed.checkpoint.state_dict import get_model_state_dict

    root = _root(module)
    state: Any = get_model_state_dict(root, options=_gathering(root))
    return OrderedDict(state) if is_main_process() else OrderedDict()


def load_full_model_state(
    module: nn.Module, state_dict: Mapping[str, Tensor]
) -> tuple[list[str], list[str], list[str]]:
    """Load whole tensors into a sharded module as far as they fit.

    Args:
        module: The module, possibly wrapped.
        state_dict: Whole tensors by name, the same in every process.

    Returns:
        Names missing in the state, names unexpected in it, and messages on those of another shape.
    """
    from torch.distributed.checkpoint.state_dict import (
        StateDictOptions,
        get_model_state_dict,
        set_model_state_dict,
    )

    root = _root(module)
    wanted: Any = get_model_state_dict(root)
    shapes = {name: value.shape for name, value in wanted.items()}
    unfitting = {
        name: f"size mismatch for {name}: {tuple(value.shape)} in the state_dict, "
        f"{tuple(shapes[name])} in the model"
        for name, value in state_dict.items()
        if name in shapes and value.shape != shapes[name]
    }
    fitting: Any = {n: v for n, v in state_dict.items() if n in shapes and n not in unfitting}
    set_model_state_dict(
        root, fitting, options=StateDictOptions(full_state_dict=True, strict=False)
    )
    missing = [name for name in shapes if name not in state_dict]
    unexpected = [name for name in state_dict if name not in shapes]
    return missing, unexpected, list(unfitting.values())


def full_optimizer_state(module: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """Gather the state of an optimizer over a sharded module on the CPU of the first process.

    Args:
        module: The module, possibly wrapped.
        optimizer: The optimizer over its parameters.

    Returns:
        A state as :meth:`torch.optim.Optimizer.state_dict` of an optimizer over the same module
        without sharding gives it; empty in other processes.
    """
    from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

    root = _root(module)
    state: Any = get_optimizer_state_dict(root, optimizer, options=_gathering(root))
    if not is_main_process():
        return {}
    numbers: dict[str, int] = {}
    for group in state["param_groups"]:
        for name in group["params"]:
            numbers[name] = len(numbers)
    return {
        "state": {numbers[name]: _plain(values) for name, values in state["state"].items()},
        "param_groups": [
            {**group, "params": [numbers[name] for name in group["params"]]}
            for group in state["param_groups"]
        ],
    }


def load_full_optimizer_state(
    module: nn.Module, optimizer: Optimizer, state_dict: Mapping[str, Any]
) -> None:
    """Load a state of an optimizer, as it is without sharding, into one over a sharded module.

    Args:
        module: The module, possibly wrapped.
        optimizer: The optimizer over its parameters.
        state_dict: The state, the same in every process.
    """
    from torch.distributed.checkpoint.state_dict import StateDictOptions, set_optimizer_state_dict

    root = _root(module)
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


def _gathering(root: nn.Module) -> Any:
    """How whole tensors are gathered on the CPU."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions

    # FSDP's class, where it works on the CPU, would free what it "moved" there before it is read.
    device = getattr(root, "compute_device", None)
    return StateDictOptions(
        full_state_dict=True, cpu_offload=device is None or device.type != "cpu"
    )


def _root(module: nn.Module) -> nn.Module:
    """The outermost sharded module: what wraps or compiles one as a whole is looked through."""
    return unwrap(module, keep=_sharded_kinds())


def _sharded_kinds() -> tuple[type, ...]:
    # Who shards has imported it; importing it takes as long as torch itself.
    fsdp = sys.modules.get("torch.distributed.fsdp")
    names = ("FullyShardedDataParallel", "FSDPModule")
    return tuple(getattr(fsdp, name) for name in names if hasattr(fsdp, name))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value.detach().cpu() if isinstance(value, torch.Tensor) else value
        for key, value in values.items()
    }
