"""Initialize a module from a config."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence

from torch import nn

from eng.logging import print_log
from eng.registry import WEIGHT_INITIALIZERS, PartConfig

from .initializers import BaseInit

__all__ = ["initialize"]


def initialize(module: nn.Module, init_cfg: PartConfig | Sequence[PartConfig]) -> None:
    """Initialize the parameters of a module.

    Each config has the initializer as ``type``, and the classes of the layers to initialize as
    ``layer``. Its ``override``, one config or several, initializes named children differently:
    all of their layers of any class. An override with only a ``name`` inherits the settings of its
    config, which may omit ``layer`` then.

    Args:
        module: The module.
        init_cfg: Config of an initializer in ``WEIGHT_INITIALIZERS``, or several: ``Constant``,
            ``Xavier``, ``Normal``, ``TruncNormal``, ``Uniform``, ``Kaiming``, ``Caffe2Xavier``,
            ``Pretrained``.

    Raises:
        TypeError: If a config or an override is not a dict.
        ValueError: If the ``name`` of an override is missing or not a child of the module, or an
            override changes settings without a ``type``.

    Examples:
        >>> import torch
        >>> head = nn.Linear(2, 3)
        >>> initialize(head, dict(type='Constant', layer='Linear', val=1, bias=2))
        >>> head.bias.tolist()
        [2.0, 2.0, 2.0]
        >>> backbone = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
        >>> model = nn.ModuleDict(dict(backbone=backbone, head=nn.Conv2d(8, 2, 1)))
        >>> initialize(model, [
        ...     dict(type='Kaiming', layer='Conv2d',
        ...          override=dict(type='Normal', name='head', std=0.01, bias_prob=0.01)),
        ...     dict(type='Constant', layer=['_BatchNorm', 'GroupNorm'], val=1)])
        >>> torch.save(model.state_dict(), 'detector.pth')
        >>> initialize(backbone, dict(
        ...     type='Pretrained', checkpoint='detector.pth', prefix='backbone.'))
    """
    for cfg in [init_cfg] if isinstance(init_cfg, Mapping) else init_cfg:
        if not isinstance(cfg, Mapping):
            raise TypeError(f"init_cfg must be a dict or a list of dicts, not {type(cfg).__name__}")
        settings = copy.deepcopy(dict(cfg))
        overrides = settings.pop("override", None) or []
        initializer = WEIGHT_INITIALIZERS.build(settings)
        initializer(module)
        if not overrides:
            _warn_without_layer(initializer)
        for override in [overrides] if isinstance(overrides, Mapping) else overrides:
            _override(module, override, settings)


def _warn_without_layer(initializer: object) -> None:
    if not isinstance(initializer, BaseInit) or initializer.layer or initializer.wholemodule:
        return
    if type(initializer).__call__ is BaseInit.__call__:
        print_log(
            f"{type(initializer).__name__} has no effect without a layer: add the class of the "
            "layers to initialize, such as layer='Linear'",
            logger="current",
            level=logging.WARNING,
        )


def _override(module: nn.Module, override: object, settings: PartConfig) -> None:
    if not isinstance(override, Mapping):
        kind = type(override).__name__
        raise TypeError(f"override must be a dict or a list of dicts, not {kind}")
    cfg = dict(override)
    name = cfg.pop("name", None)
    child = getattr(module, name, None) if isinstance(name, str) else None
    if not isinstance(child, nn.Module):
        children = [child for child, _ in module.named_children()]
        raise ValueError(
            f"override {dict(override)} must have the name of a child of {type(module).__name__}: "
            f"{children}"
        )
    if cfg and "type" not in cfg:
        raise ValueError(f"override {dict(override)} changes settings, so it needs a 'type'")
    inherited = {key: value for key, value in settings.items() if key != "layer"}
    initializer = WEIGHT_INITIALIZERS.build(cfg or inherited)
    initializer.wholemodule = True
    initializer(child)
