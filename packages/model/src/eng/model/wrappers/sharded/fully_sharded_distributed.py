"""Wrapper that shards a model over processes by the class of FSDP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.distributed import ProcessGroup
from torch.distributed.fsdp import (
    BackwardPrefetch,
    CPUOffload,
    FullyShardedDataParallel,
    MixedPrecision,
    ShardingStrategy,
)

from eng.registry import MODEL_WRAPPERS, PartConfig
from eng.utils import ArgumentValueError, DataBatch, override

from ...initial_values import share_initial_values
from ...types import Prediction
from ..model_steps import ModelSteps
from .arguments import (
    parse_cpu_offload,
    parse_ignored,
    parse_init_function,
    parse_mixed_precision,
    parse_prefetch,
    parse_sharding_strategy,
)
from .device_and_dtype import device_kind
from .meshes import build_mesh, check_shards, default_mesh
from .wrap_policies import WrapPolicy, build_wrap_policy

__all__ = ["MMFullyShardedDataParallel"]


@MODEL_WRAPPERS.register_module()
class MMFullyShardedDataParallel(ModelSteps, FullyShardedDataParallel):
    """:class:`~torch.distributed.fsdp.FullyShardedDataParallel` for a :class:`BaseModel`.

    All forward passes go through torch's wrapper, which gathers the parameters for them. Unlike
    in torch, parameters keep their own names (``use_orig_params=True``) and start with the values
    of the first process. Build the optimizer after the wrapper. Accumulated gradients are
    synchronized in every iteration, so that they stay sharded. :class:`MMFullyShard` is newer.

    Args:
        module: The model.
        process_group: The processes to shard over; with two groups, those to replicate over are the
            second. Defaults to None, all.
        cpu_offload: Whether to offload parameters and gradients to the CPU, a bool or torch's
            ``CPUOffload``. Defaults to None, no.
        fsdp_auto_wrap_policy: Which parts are sharded separately: a name in
            ``FSDP_WRAP_POLICIES``, a dict of such a name as ``type`` and its settings, or a
            callable. Defaults to None: the model is one part.
        backward_prefetch: ``'pre'``, ``'post'`` or torch's ``BackwardPrefetch``: when to gather
            parameters of the next part in the backward pass. Defaults to None, no prefetching.
        sharding_strategy: Torch's ``ShardingStrategy`` or its name. Defaults to None,
            ``'FULL_SHARD'``.
        auto_wrap_policy: Alias of ``fsdp_auto_wrap_policy``, the name in torch.
        mixed_precision: Torch's ``MixedPrecision``, or a dict of its arguments, whose dtypes may be
            names. Defaults to None.
        param_init_fn: Initializes parameters on the meta device: a callable, a name in
            ``FUNCTIONS``, or a dict of such a name as ``type`` and arguments. Defaults to None.
        use_orig_params: Whether parameters keep their own names. Defaults to True.
        **kwargs: Further arguments of torch's class. ``ignored_modules`` and
            ``ignored_parameters`` may be lists of dotted names, ``device_mesh`` sizes as in
            :class:`MMFullyShard`. Without it, hybrid strategies shard over the processes of a
            machine.

    Raises:
        TypeError: If an argument has another type.
        ValueError: If a name is unknown, or the mesh does not fit the number of processes.
    """

    def __init__(
        self,
        module: nn.Module,
        process_group: ProcessGroup | tuple[ProcessGroup, ProcessGroup] | None = None,
        cpu_offload: bool | CPUOffload | None = None,
        fsdp_auto_wrap_policy: str | PartConfig | WrapPolicy | None = None,
        backward_prefetch: str | BackwardPrefetch | None = None,
        *,
        sharding_strategy: str | ShardingStrategy | None = None,
        auto_wrap_policy: str | PartConfig | WrapPolicy | None = None,
        mixed_precision: dict[str, object] | MixedPrecision | None = None,
        param_init_fn: str | PartConfig | Callable[[nn.Module], None] | None = None,
        use_orig_params: bool = True,
        **kwargs: Any,
    ) -> None:
        offload = parse_cpu_offload(cpu_offload)
        if device_kind() == "cpu":
            offload = None  # nothing to offload, and torch would require an accelerator
        if fsdp_auto_wrap_policy is not None and auto_wrap_policy is not None:
            raise ArgumentValueError(
                "set either auto_wrap_policy or fsdp_auto_wrap_policy, not both: they are aliases"
            )
        kwargs.setdefault("device_id", _get_current_device())
        kwargs["sharding_strategy"] = parse_sharding_strategy(sharding_strategy)
        for name in ("ignored_modules", "ignored_parameters"):
            if kwargs.get(name) is not None:
                kwargs[name] = parse_ignored(module, name, kwargs[name])
        if process_group is None:
            # With a mesh, torch saves states as DTensor; the format without one is deprecated.
            mesh = build_mesh(kwargs.get("device_mesh"))
            kwargs["device_mesh"] = mesh or default_mesh(kwargs["sharding_strategy"])
            check_shards(kwargs["device_mesh"])
        share_initial_values(module, None if isinstance(process_group, tuple) else process_group)
        super().__init__(
            module,
            process_group=process_group,
            cpu_offload=offload,
            auto_wrap_policy=build_wrap_policy(fsdp_auto_wrap_policy or auto_wrap_policy),
            backward_prefetch=parse_prefetch(backward_prefetch),
            mixed_precision=parse_mixed_precision(mixed_precision),
            param_init_fn=parse_init_function(param_init_fn),
            use_orig_params=use_orig_params,
            **kwargs,
        )

    @override
    def val_step(self, data: DataBatch) -> list[Prediction]:
        # Not through the model itself: only the wrapper gathers the parameters.
        data = self.module.data_preprocessor(data, False)
        return self._run_forward(data, "predict")

    @override
    def test_step(self, data: DataBatch) -> list[Prediction]:
        return self.val_step(data)


def _get_current_device() -> torch.device:
    kind = device_kind()
    if kind == "cpu":
        return torch.device("cpu")
    return torch.device(kind, torch.accelerator.current_device_index())
