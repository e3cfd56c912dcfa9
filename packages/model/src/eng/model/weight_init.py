"""Initialisation of parameters from configs."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from torch import nn

from eng.registry import WEIGHT_INITIALIZERS

__all__ = ["initialize"]


def initialize(module: nn.Module, init_cfg: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Initialise the parameters of a module.

    Args:
        module: The module.
        init_cfg: Config of an initialiser in ``WEIGHT_INITIALIZERS``, or several. Each may have
            ``override``, configs with the ``name`` of a child that is initialised differently; one
            with only a ``name`` takes the settings of the config it stands in.

    Raises:
        TypeError: If a config or an override is no dict.
        ValueError: If an override has no ``name`` or the module no such child.
    """
    for cfg in [init_cfg] if isinstance(init_cfg, Mapping) else init_cfg:
        if not isinstance(cfg, Mapping):
            raise TypeError(f"init_cfg must be a dict or a list of dicts, not {type(cfg).__name__}")
        settings = copy.deepcopy(dict(cfg))
        overrides = settings.pop("override", None) or []
        WEIGHT_INITIALIZERS.build(settings)(module)
        for override in [overrides] if isinstance(overrides, Mapping) else overrides:
            _override(module, override, settings)


def _override(module: nn.Module, override: Any, settings: dict[str, Any]) -> None:
    if not isinstance(override, Mapping):
        kind = type(override).__name__
        raise TypeError(f"override must be a dict or a list of dicts, not {kind}")
    cfg = dict(override)
    name = cfg.pop("name", None)
    if name is None or not hasattr(module, name):
        children = [child for child, _ in module.named_children()]
        raise ValueError(
            f"override {dict(override)} must have the name of a child of {type(module).__name__}: "
            f"{children}"
        )
    if cfg and "type" not in cfg:
        raise ValueError(f"override {dict(override)} changes settings, so it needs a type as well")
    inherited = {key: value for key, value in settings.items() if key != "layer"}
    WEIGHT_INITIALIZERS.build(cfg or inherited)(getattr(module, name))
