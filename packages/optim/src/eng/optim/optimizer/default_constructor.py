"""From a model and a config to an optimizer wrapper, with settings for single parameters."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from torch import nn
from torch.nn import GroupNorm, LayerNorm
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from eng.dl_utils import plain_name, unwrap
from eng.logging import print_log
from eng.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS, OPTIMIZERS

from .optimizer_wrapper import OptimWrapper

__all__ = ["DefaultOptimWrapperConstructor"]

_NORMS = (_BatchNorm, _InstanceNorm, GroupNorm, LayerNorm)
_RULES = (
    "custom_keys",
    "bias_lr_mult",
    "bias_decay_mult",
    "norm_decay_mult",
    "flat_decay_mult",
    "dwconv_decay_mult",
    "dcn_offset_lr_mult",
    "bypass_duplicate",
)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class DefaultOptimWrapperConstructor:
    """Build an optimizer wrapper whose parameters may have settings of their own.

    ``paramwise_cfg`` may hold:

    - ``custom_keys``: dict from a part of parameter names to ``lr_mult``, ``decay_mult`` and any
      other settings of their groups. The longest key that a name contains counts, among equally
      long ones the first in alphabetical order; a parameter matched here follows no other rule.
    - ``bias_lr_mult``, ``bias_decay_mult``: for biases, except those of normalisation layers, of
      the offset layers of deformable convolutions and, for the decay, of depthwise ones.
    - ``norm_decay_mult``: weight decay of normalisation layers.
    - ``flat_decay_mult``: weight decay of parameters of one dimension that none of the other
      rules given applies to, except those of deformable convolutions.
    - ``dwconv_decay_mult``: weight decay of depthwise convolutions.
    - ``dcn_offset_lr_mult``: learning rate of the offset layers of deformable convolutions; it
      takes the place of ``bias_lr_mult`` there.
    - ``bypass_duplicate``: whether parameters that are in the model twice are taken once (else
      they are an error). Defaults to False.

    Args:
        optim_wrapper_cfg: Config of the wrapper, with the config of the optimizer as
            ``optimizer``; ``type`` defaults to ``OptimWrapper``.
        paramwise_cfg: The settings for single parameters. Defaults to None.

    Raises:
        TypeError: If a config is no dict.
        ValueError: If ``optimizer`` is missing or a rule unknown.
    """

    def __init__(
        self,
        optim_wrapper_cfg: dict[str, Any],
        paramwise_cfg: dict[str, Any] | None = None,
    ) -> None:
        for name, value in (
            ("optim_wrapper_cfg", optim_wrapper_cfg),
            ("paramwise_cfg", paramwise_cfg or {}),
        ):
            if not isinstance(value, Mapping):
                raise TypeError(f"{name} must be a dict, not {type(value).__name__}")
        if "optimizer" not in optim_wrapper_cfg:
            raise ValueError(
                "optim_wrapper must have an 'optimizer', such as dict(type='SGD', lr=0.1); "
                f"it has {sorted(optim_wrapper_cfg)}"
            )
        self.optim_wrapper_cfg = dict(optim_wrapper_cfg)
        self.optimizer_cfg = dict(self.optim_wrapper_cfg.pop("optimizer"))
        self.paramwise_cfg = dict(paramwise_cfg or {})
        self.base_lr: float | None = self.optimizer_cfg.get("lr")
        self.base_wd: float | None = self.optimizer_cfg.get("weight_decay")
        self._validate_cfg()
        #: Rules that some parameter has followed.
        self._applied: set[str] = set()

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build the wrapper.

        Args:
            model: The model, possibly wrapped, whose parameters are updated.

        Returns:
            The optimizer wrapper.

        Raises:
            ValueError: If a parameter is in the model twice, unless ``bypass_duplicate``, or a
                rule cannot be followed.
        """
        if self.paramwise_cfg.get("flat_decay_mult") is not None and _is_flattened(model):
            raise ValueError(
                "flat_decay_mult cannot tell parameters of one dimension apart in a model wrapped "
                "by FullyShardedDataParallel, where all have one: use MMFullyShard"
            )
        optimizer_cfg = deepcopy(self.optimizer_cfg)
        if self.paramwise_cfg:
            params: list[dict[str, Any]] = []
            self.add_params(params, model)
            self._warn_of_what_matches_nothing(model)
            optimizer_cfg["params"] = params
        else:
            optimizer_cfg["params"] = model.parameters()
        optimizer = OPTIMIZERS.build(optimizer_cfg)
        wrapper_cfg = deepcopy(self.optim_wrapper_cfg)
        wrapper_cfg.setdefault("type", "OptimWrapper")
        return OPTIM_WRAPPERS.build(wrapper_cfg, default_args={"optimizer": optimizer})

    def add_params(
        self,
        params: list[dict[str, Any]],
        module: nn.Module,
        prefix: str = "",
        is_dcn_module: int | float | None = None,
    ) -> None:
        """Append a parameter group for each parameter of a module and its submodules.

        Args:
            params: The groups so far; it is appended to.
            module: The module.
            prefix: Name of the module in the model. Defaults to ''.
            is_dcn_module: Truthy inside a deformable convolution. Defaults to None.
        """
        for name, param in module.named_parameters(recurse=False):
            group: dict[str, Any] = {"params": [param]}
            if self._is_duplicate(params, param, f"{prefix}.{name}" if prefix else name):
                continue
            if param.requires_grad:
                full_name = f"{prefix}.{name}" if prefix else name
                group.update(
                    self._pick_settings(full_name, name, param, module, bool(is_dcn_module))
                )
            params.append(group)
        inside_dcn = is_dcn_module or _is_deformable(module)
        for child_name, child in module.named_children():
            # Names are those of the model itself, whatever wraps its parts.
            names = [name for name in (prefix, plain_name(module, child_name)) if name]
            self.add_params(params, child, prefix=".".join(names), is_dcn_module=inside_dcn)

    def _pick_settings(
        self, full_name: str, name: str, param: nn.Parameter, module: nn.Module, inside_dcn: bool
    ) -> dict[str, Any]:
        """What the group of one parameter has besides the parameter."""
        cfg = self.paramwise_cfg
        custom = self._find_custom_key(full_name)
        if custom is not None:
            given = dict(cfg["custom_keys"][custom])
            lr_mult, decay_mult = given.pop("lr_mult", 1.0), given.pop("decay_mult", 1.0)
            return {**self._scale_settings(lr_mult, decay_mult), **given}
        is_norm = isinstance(module, _NORMS)
        is_depthwise = isinstance(module, nn.Conv2d) and module.in_channels == module.groups
        is_bias = name == "bias" and not is_norm and not inside_dcn
        lr_rules = {
            "dcn_offset_lr_mult": inside_dcn and "conv_offset" in full_name,
            "bias_lr_mult": is_bias,
        }
        decay_rules = {
            "norm_decay_mult": is_norm,
            "dwconv_decay_mult": is_depthwise,
            "bias_decay_mult": is_bias and not is_depthwise,
            "flat_decay_mult": param.ndim == 1 and not inside_dcn,
        }
        return self._scale_settings(self._find_factor(lr_rules), self._find_factor(decay_rules))

    def _find_factor(self, rules: dict[str, bool]) -> float:
        """The factor of the first rule that is given and applies."""
        for rule, applies in rules.items():
            factor = self.paramwise_cfg.get(rule)
            if applies and factor is not None:
                self._applied.add(rule)
                return factor
        return 1.0

    def _scale_settings(self, lr_mult: float, decay_mult: float) -> dict[str, Any]:
        settings = {}
        if lr_mult != 1 and self.base_lr is not None:
            settings["lr"] = self.base_lr * lr_mult
        if decay_mult != 1 and self.base_wd is not None:
            settings["weight_decay"] = self.base_wd * decay_mult
        return settings

    def _find_custom_key(self, full_name: str) -> str | None:
        keys = self.paramwise_cfg.get("custom_keys", {})
        longest_first = sorted(sorted(keys), key=len, reverse=True)
        return next((key for key in longest_first if key in full_name), None)

    def _is_duplicate(self, params: list[dict[str, Any]], param: nn.Parameter, name: str) -> bool:
        if not any(param is other for group in params for other in group["params"]):
            return False
        if not self.paramwise_cfg.get("bypass_duplicate", False):
            raise ValueError(
                f"parameter {name!r} is in the model under another name as well; set "
                "paramwise_cfg=dict(bypass_duplicate=True) to take it once"
            )
        print_log(f"{name} is a duplicate and taken once", logger="current", level=logging.WARNING)
        return True

    def _warn_of_what_matches_nothing(self, model: nn.Module) -> None:
        names = [
            plain_name(model, name) for name, _ in model.named_parameters(remove_duplicate=False)
        ]
        keys = [
            key
            for key in self.paramwise_cfg.get("custom_keys", {})
            if not any(key in name for name in names)
        ]
        rules = [
            rule
            for rule, factor in self.paramwise_cfg.items()
            if rule.endswith("_mult") and factor is not None and rule not in self._applied
        ]
        for what, unmatched in (("custom_keys", keys), ("rules", rules)):
            if unmatched:
                print_log(
                    f"paramwise_cfg has {what} that match no trainable parameter of "
                    f"{type(unwrap(model)).__name__}: {', '.join(unmatched)}",
                    logger="current",
                    level=logging.WARNING,
                )

    def _validate_cfg(self) -> None:
        unknown = sorted(set(self.paramwise_cfg) - set(_RULES))
        if unknown:
            raise ValueError(f"unknown in paramwise_cfg: {unknown}; known are {list(_RULES)}")
        custom = self.paramwise_cfg.get("custom_keys", {})
        if not isinstance(custom, Mapping):
            raise TypeError(f"custom_keys must be a dict, not {type(custom).__name__}")
        for setting, optimizer_key, base in (
            ("lr_mult", "lr", self.base_lr),
            ("decay_mult", "weight_decay", self.base_wd),
        ):
            rules = [
                rule
                for rule, factor in self.paramwise_cfg.items()
                if rule.endswith(setting) and factor is not None
            ]
            rules += [f"custom_keys[{key!r}]" for key, given in custom.items() if setting in given]
            if rules and base is None:
                raise ValueError(
                    f"{', '.join(rules)} have factors for {optimizer_key!r}, which the config of "
                    "the optimizer must then give"
                )


def _is_flattened(model: nn.Module) -> bool:
    fsdp = sys.modules.get("torch.distributed.fsdp")
    return fsdp is not None and any(
        isinstance(module, fsdp.FullyShardedDataParallel) for module in model.modules()
    )


def _is_deformable(module: nn.Module) -> bool:
    """Whether a module is a deformable convolution, known by the name of its class."""
    return any("DeformConv2d" in cls.__name__ for cls in type(module).__mro__)
