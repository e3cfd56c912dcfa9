"""Configs of torch for the states of sharded models, as configs of strategies name them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from eng.registry import Registry

from ..errors import RunnerConfigError, RunnerTypeError
from ..types import Settings

__all__ = ["FSDP_CONFIGS", "reads_shards"]

#: Configs of states of sharded models and optimizers: ``state_dict_cfg`` of ``FSDPStrategy``.
FSDP_CONFIGS = Registry("fsdp_config")

_KINDS = ("FULL_STATE_DICT", "LOCAL_STATE_DICT", "SHARDED_STATE_DICT")
_KEYS = ("state_dict_type", "state_dict_config", "optim_state_dict_config")


def reads_shards(state_dict_cfg: str | Settings) -> bool:
    """Check what checkpoints of a sharded model are to have.

    Args:
        state_dict_cfg: ``'local'``, ``'full'``, or a dict of torch's type and configs of states.

    Returns:
        Whether each process saves its shards.

    Raises:
        RunnerConfigError: If a name is unknown, which is a :class:`ValueError`, or a type wrong,
            which is a :class:`TypeError`.
    """
    if isinstance(state_dict_cfg, str):
        if state_dict_cfg not in ("local", "full"):
            raise RunnerConfigError(
                f"state_dict_cfg must be 'local', 'full' or a dict, not {state_dict_cfg!r}"
            )
        return state_dict_cfg == "local"
    if not isinstance(state_dict_cfg, Mapping):
        raise RunnerTypeError(
            f"state_dict_cfg must be 'local', 'full' or a dict, not {state_dict_cfg!r}"
        )
    unknown = sorted(set(state_dict_cfg) - set(_KEYS))
    if unknown:
        raise RunnerConfigError(
            f"state_dict_cfg has unexpected settings {unknown}; it takes {', '.join(_KEYS)}"
        )
    kind = _name_of(state_dict_cfg.get("state_dict_type", _KINDS[1]))
    for key in _KEYS[1:]:
        _check_config(key, state_dict_cfg.get(key))
    return kind != _KINDS[0]


def _name_of(kind: object) -> str:
    name = kind.name if isinstance(kind, Enum) else kind
    if not isinstance(name, str):
        raise RunnerTypeError(f"state_dict_type must be a name such as {_KINDS[0]!r}, not {kind!r}")
    name = name.rpartition(".")[2]
    if name not in _KINDS:
        raise RunnerConfigError(f"state_dict_type must be one of {', '.join(_KINDS)}, not {kind!r}")
    return name


def _check_config(key: str, config: object) -> None:
    """Build a config of torch, which refuses unknown settings."""
    if config is None:
        return
    _register()
    if isinstance(config, Mapping):
        FSDP_CONFIGS.build(config)
    elif type(config).__name__ not in FSDP_CONFIGS:
        known = ", ".join(sorted(FSDP_CONFIGS.module_dict))
        raise RunnerTypeError(f"{key} must be a dict whose type is one of {known}, not {config!r}")


def _register() -> None:
    """Register the classes of torch, whose module is slow to import, when one is asked for."""
    if len(FSDP_CONFIGS):
        return
    from torch.distributed import fsdp

    for prefix in ("Full", "Local", "Sharded"):
        for kind in ("StateDictConfig", "OptimStateDictConfig"):
            cls: Any = getattr(fsdp, f"{prefix}{kind}", None) or getattr(
                fsdp.api, f"{prefix}{kind}"
            )
            FSDP_CONFIGS.register_module(module=cls)
