"""Strategy for several processes, each with a shard of the model."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from eng.checkpoint import load_full_optimizer_state
from eng.device import get_device
from eng.dl_utils import plain_name
from eng.model import wrap_for_processes
from eng.optim import BaseOptimWrapper, OptimWrapperDict
from eng.registry import FUNCTIONS, STRATEGIES, PartConfig, PartOrConfig
from eng.utils import override

from ..errors import RunnerTypeError
from ..types import OptimizerOrConfig, Settings
from .distributed import DDPStrategy
from .fsdp_configs import reads_shards

__all__ = ["FSDPStrategy"]


@STRATEGIES.register_module()
class FSDPStrategy(DDPStrategy):
    """Shards the model over the processes, by :class:`eng.model.MMFullyShardedDataParallel`.

    Args:
        model_wrapper: Config of the wrapper, whose ``type`` defaults to
            ``MMFullyShardedDataParallel``. Defaults to None.
        skip_init_weights: Whether weights have no values until a checkpoint is loaded: the model is
            built without memory for them. Defaults to False.
        state_dict_cfg: Checkpoints: ``'local'``, folders to which each process writes its shards;
            ``'full'``, files of which the first process gathers the weights, as without sharding;
            or a dict of ``state_dict_type``, ``state_dict_config`` and ``optim_state_dict_config``,
            names and configs of torch. Both load in any number of processes and by every runner.
            Defaults to ``'local'``.
        activation_checkpointing: ``check_fn``, which says of a module whether its forward pass is
            recomputed (a callable, a name in ``FUNCTIONS``, or a dict of such a name as ``type``
            and arguments), and further arguments of torch's ``apply_activation_checkpointing``.
            Defaults to None.
        **kwargs: Arguments of :class:`BaseStrategy`.

    Raises:
        TypeError: If an argument has another type.
        ValueError: If a name is unknown.
    """

    _takes_model_wrapper = False  # it may be of a wrapper that does not shard

    def __init__(
        self,
        *,
        model_wrapper: PartConfig | None = None,
        skip_init_weights: bool = False,
        state_dict_cfg: str | Settings = "local",
        activation_checkpointing: Settings | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(skip_init_weights, bool):
            raise RunnerTypeError(
                f"skip_init_weights must be True or False, not {skip_init_weights!r}"
            )
        if not isinstance(activation_checkpointing, (Mapping, type(None))):
            raise RunnerTypeError(
                "activation_checkpointing must be a dict with 'check_fn', or None, not "
                f"{activation_checkpointing!r}"
            )
        self.skip_init_weights = skip_init_weights
        self.activation_checkpointing = copy.deepcopy(activation_checkpointing)
        keeps_shards = reads_shards(state_dict_cfg)
        super().__init__(model_wrapper=model_wrapper, **kwargs)
        self.checkpoint_format = "folder" if keeps_shards else "file"
        self._names: dict[Tensor, str] = {}

    @override
    def build_model(self, model: PartOrConfig[nn.Module]) -> nn.Module:
        """Build a model.

        Args:
            model: The model, which is returned as it is, or its config.

        Returns:
            The model; its parameters have no values with ``skip_init_weights``.
        """
        if not self.skip_init_weights:
            return super().build_model(model)
        with _parameters_without_values():
            return super().build_model(model)

    @override
    def build_optim_wrapper(
        self, optim_wrapper: OptimizerOrConfig, model: nn.Module | None = None
    ) -> BaseOptimWrapper:
        """Build an optimizer wrapper; a built one gets the sharded parameters.

        Args:
            optim_wrapper: As for :meth:`eng.runner.Runner.build_optim_wrapper`.
            model: The model whose parameters are updated. Defaults to None, the prepared one.

        Returns:
            The wrapper.
        """
        model = self.model if model is None else model
        if isinstance(optim_wrapper, Mapping) and optim_wrapper.get("type") == "AmpOptimWrapper":
            optim_wrapper = {"use_fsdp": True, **optim_wrapper}
        built = super().build_optim_wrapper(optim_wrapper, model)
        for each in built.values() if isinstance(built, OptimWrapperDict) else [built]:
            self._put_sharded_parameters(each.optimizer, model)
        return built

    def _put_sharded_parameters(self, optimizer: Optimizer, model: nn.Module) -> None:
        """Replace the parameters of the whole model in an optimizer that was built before."""
        sharded = {plain_name(model, name): each for name, each in model.named_parameters()}
        own = set(sharded.values())
        groups = optimizer.param_groups
        former = [p for group in groups for p in group["params"] if p not in own]
        if not any(self._names.get(each) in sharded for each in former):
            return
        state = optimizer.state_dict()
        for group in groups:
            group["params"] = [
                sharded.get(self._names.get(each, ""), each) for each in group["params"]
            ]
        optimizer.state.clear()
        if state["state"]:
            load_full_optimizer_state(model, optimizer, state)

    @override
    def _prepare_model(self, model: nn.Module) -> nn.Module:
        # By which an optimizer that was built before finds the sharded parameters.
        self._names = {each: plain_name(model, name) for name, each in model.named_parameters()}
        return super()._prepare_model(model)

    @override
    def _move(self, model: nn.Module) -> nn.Module:
        return model if self.skip_init_weights else super()._move(model)

    @override
    def _init_weights(self, model: nn.Module) -> None:
        if not self.skip_init_weights:
            super()._init_weights(model)

    @override
    def _wrap_model(self, model: nn.Module) -> nn.Module:
        wrapper = {"type": "MMFullyShardedDataParallel", **(self.model_wrapper or {})}
        if self.skip_init_weights:
            wrapper.setdefault("param_init_fn", _allocate)
        wrapped = wrap_for_processes(model, wrapper, self.find_unused_parameters)
        if self.activation_checkpointing is not None:
            _recompute(wrapped, self.activation_checkpointing)
        return wrapped


@contextmanager
def _parameters_without_values() -> Iterator[None]:
    """Put each parameter on the meta device when it is given to a module; buffers keep values."""

    def drop_values(module: nn.Module, name: str, parameter: nn.Parameter | None) -> Any:
        if parameter is None or parameter.is_meta:
            return parameter
        return nn.Parameter(parameter.detach().to("meta"), parameter.requires_grad)

    handle = nn.modules.module.register_module_parameter_registration_hook(drop_values)
    try:
        yield
    finally:
        handle.remove()


def _allocate(module: nn.Module) -> None:
    """Allocate the parameters of a module, without values."""
    for name, parameter in module.named_parameters(recurse=False):
        if parameter.is_meta:
            empty = torch.empty_like(parameter, device=get_device())
            module.register_parameter(name, nn.Parameter(empty, parameter.requires_grad))
    for name, buffer in module.named_buffers(recurse=False):
        module._buffers[name] = buffer.to(get_device())


def _recompute(model: nn.Module, given: Settings) -> None:
    """Recompute the forward pass of parts of a model in the backward pass."""
    from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import (
        apply_activation_checkpointing,
    )

    settings = dict(given)
    check = _find_check(settings.pop("check_fn", None))
    if check is not None:
        settings["check_fn"] = check
    apply_activation_checkpointing(model, **settings)


def _find_check(given: object) -> Callable[..., bool] | None:
    """Find the function that says of a module whether it is recomputed."""
    if given is None:
        return None
    cfg = {"type": given} if isinstance(given, str) else given
    if isinstance(cfg, Mapping) and "type" in cfg:
        kind = cfg["type"]
        found: Any = FUNCTIONS.require(kind) if isinstance(kind, str) else kind
        arguments = {key: value for key, value in cfg.items() if key != "type"}
        return partial(found, **arguments) if arguments else found
    if not callable(given):
        raise RunnerTypeError(
            f"check_fn must be a function, a name in FUNCTIONS or a dict with 'type', not {given!r}"
        )
    return given
