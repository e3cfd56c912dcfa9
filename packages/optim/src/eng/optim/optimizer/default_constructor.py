"""Build an optimizer wrapper from a model and a config, with per-parameter settings."""

from __future__ import annotations

import difflib
import inspect
import logging
import sys
from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.nn import GroupNorm, LayerNorm
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from eng.dl_utils import plain_name, unwrap
from eng.logging import print_log
from eng.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS, OPTIMIZERS, PartConfig
from eng.utils import ArgumentTypeError, ArgumentValueError

from ..types import Arguments, ParamGroup
from .optimizer_wrapper import OptimWrapper

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.optimizer import ParamsT

    from .base import BaseOptimWrapper

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
_FACTORS = tuple(rule for rule in _RULES if rule.endswith("_mult"))


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class DefaultOptimWrapperConstructor:
    """Builds optimizer wrappers with per-parameter settings.

    ``paramwise_cfg`` may have:

    - ``custom_keys``: dict from a substring of parameter names to ``lr_mult``, ``decay_mult`` and
      any other settings of their groups. The longest matching key takes precedence, among equally
      long ones the first in alphabetical order, and over all other rules.
    - ``bias_lr_mult``: learning rate of biases, except those of normalisation layers and of
      deformable convolutions.
    - ``norm_decay_mult``: weight decay of normalisation layers.
    - ``bias_decay_mult``: weight decay of biases, except those of deformable convolutions.
    - ``dwconv_decay_mult``: weight decay of depthwise convolutions of more than one channel.
    - ``flat_decay_mult``: weight decay of parameters of one dimension, except those of deformable
      convolutions.
    - ``dcn_offset_lr_mult``: learning rate of the offset layers of deformable convolutions; it
      takes precedence over ``bias_lr_mult`` there.
    - ``bypass_duplicate``: whether to use a parameter once that is in the model twice, instead of
      raising an error. Defaults to False.

    The first rule for weight decay, in this order, that is set and applies takes precedence.
    Subclasses may read further keys.

    With a ``paramwise_cfg`` each trainable parameter has its own group, and frozen ones are
    excluded; without one all parameters are in one group.

    Args:
        optim_wrapper_cfg: Config of the wrapper, with the config of the optimizer as
            ``optimizer``; ``type`` defaults to ``OptimWrapper``.
        paramwise_cfg: The per-parameter settings. Defaults to None.

    Raises:
        TypeError: If a config is not a dict.
        ValueError: If ``optimizer`` is missing, or the setting that a rule scales.
    """

    def __init__(
        self,
        optim_wrapper_cfg: PartConfig,
        paramwise_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        for name, value in (
            ("optim_wrapper_cfg", optim_wrapper_cfg),
            ("paramwise_cfg", paramwise_cfg or {}),
        ):
            if not isinstance(value, Mapping):
                raise ArgumentTypeError(f"{name} must be a dict, not {type(value).__name__}")
        if "optimizer" not in optim_wrapper_cfg:
            raise ArgumentValueError(
                "optim_wrapper must have an 'optimizer', such as dict(type='SGD', lr=0.1); "
                f"it has {sorted(optim_wrapper_cfg)}"
            )
        self.optim_wrapper_cfg = dict(optim_wrapper_cfg)
        self.optimizer_cfg = dict(self.optim_wrapper_cfg.pop("optimizer"))
        self.paramwise_cfg = dict(paramwise_cfg or {})
        self.base_lr: float | None = self.optimizer_cfg.get("lr")
        self.base_wd: float | None = self.optimizer_cfg.get("weight_decay")
        self._validate_cfg()
        #: Rules that applied to some parameter.
        self._applied: set[str] = set()

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build the wrapper.

        Args:
            model: The model, possibly wrapped, whose parameters are updated.

        Returns:
            The optimizer wrapper.

        Raises:
            ValueError: If a parameter is in the model twice, unless ``bypass_duplicate``, or a
                rule cannot be applied.
        """
        if self.paramwise_cfg.get("flat_decay_mult") is not None and _is_flattened(model):
            raise ValueError(
                "flat_decay_mult cannot identify parameters of one dimension in a model wrapped "
                "by FullyShardedDataParallel, which flattens all parameters: use MMFullyShard"
            )
        optimizer_cfg = deepcopy(self.optimizer_cfg)
        parameters: ParamsT = model.parameters()
        if self.paramwise_cfg:
            params: list[ParamGroup] = []
            self.add_params(params, model)
            self._warn_about_unmatched_rules(model)
            parameters = params
        optimizer_cfg[_find_first_argument(optimizer_cfg)] = parameters
        optimizer = OPTIMIZERS.build(optimizer_cfg)
        wrapper_cfg = deepcopy(self.optim_wrapper_cfg)
        wrapper_cfg.setdefault("type", "OptimWrapper")
        wrapper = OPTIM_WRAPPERS.build(wrapper_cfg, default_args={"optimizer": optimizer})
        if self.paramwise_cfg:
            self._watch_frozen(model, optimizer, wrapper)
        return wrapper

    def _watch_frozen(
        self, model: nn.Module, optimizer: Optimizer, wrapper: BaseOptimWrapper
    ) -> None:
        """Log which parameters are excluded, and let the wrapper warn if one is unfrozen."""
        ours = {id(param) for group in optimizer.param_groups for param in group["params"]}
        excluded = {
            plain_name(model, name): param
            for name, param in model.named_parameters()
            if not param.requires_grad and id(param) not in ours
        }
        if not excluded:
            return
        some = ", ".join(list(excluded)[:3]) + (", …" if len(excluded) > 3 else "")
        print_log(
            f"{len(excluded)} frozen parameters are excluded from the optimizer: {some}",
            logger="current",
        )
        if isinstance(wrapper, OptimWrapper):
            wrapper.watch_left_out(excluded)

    def add_params(
        self,
        params: list[ParamGroup],
        module: nn.Module,
        prefix: str = "",
        is_dcn_module: int | float | None = None,
    ) -> None:
        """Append a group for each trainable parameter of a module and its submodules.

        Args:
            params: The list of groups to append to.
            module: The module.
            prefix: Name of the module in the model. Defaults to ''.
            is_dcn_module: Truthy inside a deformable convolution. Defaults to None.
        """
        for name, param in module.named_parameters(recurse=False):
            full_name = f"{prefix}.{name}" if prefix else name
            group: ParamGroup = {"params": [param]}
            if not param.requires_grad or self._is_duplicate(params, group, full_name):
                continue
            group.update(self._pick_settings(full_name, name, param, module, bool(is_dcn_module)))
            params.append(group)
        inside_dcn = is_dcn_module or _is_deformable(module)
        for child_name, child in module.named_children():
            # Names of the model itself, without those of wrappers of its parts.
            names = [name for name in (prefix, plain_name(module, child_name)) if name]
            self.add_params(params, child, prefix=".".join(names), is_dcn_module=inside_dcn)

    def _pick_settings(
        self, full_name: str, name: str, param: nn.Parameter, module: nn.Module, inside_dcn: bool
    ) -> Arguments:
        """Return the settings of the group of one parameter."""
        cfg = self.paramwise_cfg
        custom = self._find_custom_key(full_name)
        if custom is not None:
            given = cfg["custom_keys"][custom]
            lr_mult, decay_mult = given.get("lr_mult", 1.0), given.get("decay_mult", 1.0)
            return {**self._scale_settings(lr_mult, decay_mult), **given}
        is_norm = isinstance(module, _NORMS)
        is_bias = name == "bias" and not inside_dcn
        lr_rules = {
            "dcn_offset_lr_mult": inside_dcn and "conv_offset" in full_name,
            "bias_lr_mult": is_bias and not is_norm,
        }
        decay_rules = {
            "norm_decay_mult": is_norm,
            "bias_decay_mult": is_bias,
            "dwconv_decay_mult": _is_depthwise(module),
            "flat_decay_mult": param.ndim == 1 and not inside_dcn,
        }
        return self._scale_settings(self._find_factor(lr_rules), self._find_factor(decay_rules))

    def _find_factor(self, rules: dict[str, bool]) -> float:
        """Return the factor of the first rule that is set and applies."""
        for rule, applies in rules.items():
            factor = self.paramwise_cfg.get(rule)
            if applies and factor is not None:
                self._applied.add(rule)
                return factor
        return 1.0

    def _scale_settings(self, lr_mult: float, decay_mult: float) -> Arguments:
        settings = {}
        if lr_mult != 1 and self.base_lr is not None:
            settings["lr"] = self.base_lr * lr_mult
        if decay_mult != 1 and self.base_wd is not None:
            settings["weight_decay"] = self.base_wd * decay_mult
        return settings

    def _find_custom_key(self, full_name: str) -> str | None:
        keys = self.paramwise_cfg.get("custom_keys", {})
        longest_first = sorted(sorted(keys), key=len, reverse=True)
        return next((key for key in longest_first if _matches(key, full_name)), None)

    def _is_in(self, param_group: ParamGroup, param_group_list: list[ParamGroup]) -> bool:
        """Whether a parameter of a group is already in another group; subclasses call it."""
        known = {id(param) for group in param_group_list for param in group["params"]}
        return any(id(param) in known for param in param_group["params"])

    def _is_duplicate(self, params: list[ParamGroup], group: ParamGroup, name: str) -> bool:
        if not self._is_in(group, params):
            return False
        if not self.paramwise_cfg.get("bypass_duplicate", False):
            raise ValueError(
                f"duplicate parameter {name!r}: it is in the model under another name as well; set "
                "paramwise_cfg=dict(bypass_duplicate=True) to use it once"
            )
        print_log(f"{name} is a duplicate and used once", logger="current", level=logging.WARNING)
        return True

    def _warn_about_unmatched_rules(self, model: nn.Module) -> None:
        names = [
            plain_name(model, name) for name, _ in model.named_parameters(remove_duplicate=False)
        ]
        keys = [
            key
            for key in self.paramwise_cfg.get("custom_keys", {})
            if not any(_matches(key, name) for name in names)
        ]
        rules = [
            rule
            for rule, factor in self.paramwise_cfg.items()
            if rule in _FACTORS and factor is not None and rule not in self._applied
        ]
        for what, unmatched in (("custom_keys", keys), ("rules", rules)):
            if unmatched:
                print_log(
                    f"paramwise_cfg has {what} that do not match any trainable parameter of "
                    f"{type(unwrap(model)).__name__}: {', '.join(unmatched)}",
                    logger="current",
                    level=logging.WARNING,
                )

    def _validate_cfg(self) -> None:
        if type(self) is DefaultOptimWrapperConstructor:
            self._warn_about_unknown_rules()
        custom = self.paramwise_cfg.get("custom_keys", {})
        if not isinstance(custom, Mapping):
            raise ArgumentTypeError(f"custom_keys must be a dict, not {type(custom).__name__}")
        for setting, optimizer_key, base in (
            ("lr_mult", "lr", self.base_lr),
            ("decay_mult", "weight_decay", self.base_wd),
        ):
            rules = [
                rule
                for rule, factor in self.paramwise_cfg.items()
                if rule in _FACTORS and rule.endswith(setting) and factor is not None
            ]
            rules += [f"custom_keys[{key!r}]" for key, given in custom.items() if setting in given]
            if rules and base is None:
                raise ArgumentValueError(
                    f"paramwise_cfg: {', '.join(rules)} needs {optimizer_key!r} in the config of "
                    "the optimizer, to scale it"
                )

    def _warn_about_unknown_rules(self) -> None:
        for rule in self.paramwise_cfg:
            if rule not in _RULES:
                near = difflib.get_close_matches(str(rule), _RULES, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"accepted: {', '.join(_RULES)}"
                print_log(
                    f"paramwise_cfg has the key {rule!r}, which is unknown to "
                    f"DefaultOptimWrapperConstructor: {hint}",
                    logger="current",
                    level=logging.WARNING,
                )


def _is_flattened(model: nn.Module) -> bool:
    fsdp = sys.modules.get("torch.distributed.fsdp")
    return fsdp is not None and any(
        isinstance(module, fsdp.FullyShardedDataParallel) for module in model.modules()
    )


def _find_first_argument(optimizer_cfg: PartConfig) -> str:
    """Find the name of the argument for parameters, which is ``params`` in torch."""
    kind: Any = optimizer_cfg.get("type")
    with OPTIMIZERS.switch_scope_and_registry(optimizer_cfg.get("_scope_")) as registry:
        target = registry.get(kind) if isinstance(kind, str) else kind
    try:
        first = next(iter(inspect.signature(target).parameters.values()), None)
    except (TypeError, ValueError):  # without a signature, or not registered: building will raise
        return "params"
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return first.name if first is not None and first.kind in named else "params"


def _matches(key: str, name: str) -> bool:
    # The dot lets ".backbone" match that child of the model itself.
    return key in f".{name}"


def _is_depthwise(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d) and module.in_channels == module.groups > 1


def _is_deformable(module: nn.Module) -> bool:
    """Whether a module is a deformable convolution, by the name of its class."""
    return any("DeformConv2d" in cls.__name__ for cls in type(module).__mro__)
