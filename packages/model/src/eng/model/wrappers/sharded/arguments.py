"""Parse arguments of sharding in configs: names and dicts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import nn
from torch.distributed.fsdp import BackwardPrefetch, CPUOffload, MixedPrecision, ShardingStrategy

from eng.registry import FUNCTIONS
from eng.utils import ArgumentTypeError, ArgumentValueError

from .device_and_dtype import dtype_of

__all__ = [
    "parse_cpu_offload",
    "parse_ignored",
    "parse_init_function",
    "parse_mixed_precision",
    "parse_prefetch",
    "parse_sharding_strategy",
]

_PREFETCHES = {"pre": BackwardPrefetch.BACKWARD_PRE, "post": BackwardPrefetch.BACKWARD_POST}


def parse_cpu_offload(given: object) -> CPUOffload | None:
    """Parse whether to offload parameters to the CPU, such as a bool."""
    if isinstance(given, bool):
        return CPUOffload(offload_params=given)
    if given is not None and not isinstance(given, CPUOffload):
        raise TypeError(
            f"cpu_offload must be a bool, CPUOffload or None, not {type(given).__name__}"
        )
    return given


def parse_prefetch(given: object) -> BackwardPrefetch | None:
    """Parse when to gather parameters of the next part, such as a name."""
    if given is None or isinstance(given, BackwardPrefetch):
        return given
    if not isinstance(given, str):
        raise TypeError(
            "backward_prefetch must be 'pre', 'post', BackwardPrefetch or None, "
            f"not {type(given).__name__}"
        )
    found = _PREFETCHES.get(given.lower().removeprefix("backward_"))
    if found is None:
        raise ValueError(f"backward_prefetch must be one of {sorted(_PREFETCHES)}, not {given!r}")
    return found


def parse_sharding_strategy(given: object) -> ShardingStrategy | None:
    """Parse a sharding strategy, such as a name."""
    if given is None or isinstance(given, ShardingStrategy):
        return given
    if not isinstance(given, str):
        raise ArgumentTypeError(
            "sharding_strategy must be a name, ShardingStrategy or None, "
            f"not {type(given).__name__}"
        )
    if given not in ShardingStrategy.__members__:
        raise ValueError(
            f"sharding_strategy must be one of {list(ShardingStrategy.__members__)}, not {given!r}"
        )
    return ShardingStrategy[given]


def parse_mixed_precision(given: object) -> MixedPrecision | None:
    """Parse the dtypes of mixed precision, such as a dict."""
    if given is None or isinstance(given, MixedPrecision):
        return given
    if not isinstance(given, Mapping):
        raise ArgumentTypeError(
            f"mixed_precision must be a dict, MixedPrecision or None, not {type(given).__name__}"
        )
    return MixedPrecision(**{name: dtype_of(value) for name, value in given.items()})


def parse_init_function(given: object) -> Callable[[nn.Module], None] | None:
    """Parse the function that initializes parameters on the meta device, such as a name or dict."""
    if given is None or (callable(given) and not isinstance(given, Mapping)):
        return given
    cfg = {"type": given} if isinstance(given, str) else given
    if not isinstance(cfg, Mapping) or "type" not in cfg:
        raise ArgumentTypeError(
            "param_init_fn must be a callable, a name in FUNCTIONS or a dict with 'type', "
            f"not {given!r}"
        )
    kind = cfg["type"]
    function: Any = kind
    if isinstance(kind, str):
        with FUNCTIONS.switch_scope_and_registry(cfg.get("_scope_")) as registry:
            function = registry.get(kind)
    if function is None:
        raise ArgumentValueError(f"param_init_fn {kind!r} is not registered in FUNCTIONS")
    arguments = {key: value for key, value in cfg.items() if key not in ("type", "_scope_")}
    return functools.partial(function, **arguments) if arguments else function


def parse_ignored(module: nn.Module, argument: str, given: object) -> list[object]:
    """Parse modules or parameters that are not sharded: dotted names or objects."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise ArgumentTypeError(f"{argument} must be a list, not {type(given).__name__}")
    kinds = {
        "ignored_modules": dict(module.named_modules()),
        "ignored_parameters": dict(module.named_parameters()),
    }
    found = []
    for each in given:
        if isinstance(each, str) and each not in kinds[argument]:
            raise ArgumentValueError(f"{argument}: {each!r} is not in {type(module).__name__}")
        found.append(kinds[argument][each] if isinstance(each, str) else each)
    return found
