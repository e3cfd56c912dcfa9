"""Training of models whose parameters are sharded over processes, by FSDP's class."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.distributed import ProcessGroup
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import (
    BackwardPrefetch,
    CPUOffload,
    FullyShardedDataParallel,
    MixedPrecision,
    ShardingStrategy,
)

from eng.dist import get_world_size
from eng.model.base_model.steps import run_forward
from eng.model.wrappers.initial_values import share_initial_values
from eng.model.wrappers.model_steps import ModelSteps
from eng.registry import MODEL_WRAPPERS

from .device_and_dtype import device_kind, dtype_of
from .wrap_policies import WrapPolicy, build_wrap_policy

__all__ = ["MMFullyShardedDataParallel"]

_PREFETCHES = {"pre": BackwardPrefetch.BACKWARD_PRE, "post": BackwardPrefetch.BACKWARD_POST}


@MODEL_WRAPPERS.register_module()
class MMFullyShardedDataParallel(ModelSteps, FullyShardedDataParallel):
    """:class:`~torch.distributed.fsdp.FullyShardedDataParallel` for a :class:`BaseModel`.

    All forward passes go through torch's wrapper, which gathers the parameters for them. Unlike
    in torch, parameters keep their own names (``use_orig_params=True``, unless said otherwise)
    and begin as those of the first process. Build the optimizer after the wrapper. Gradients that
    are accumulated are shared in every iteration, so that they stay sharded.
    :class:`MMFullyShard` is the newer way.

    Args:
        module: The model.
        process_group: The processes to shard over, and over which to replicate if two are
            given. Defaults to None, all.
        cpu_offload: Whether parameters and gradients wait on the CPU, a bool or torch's
            ``CPUOffload``. Defaults to None, no.
        fsdp_auto_wrap_policy: Which parts are sharded on their own: a name in
            ``FSDP_WRAP_POLICIES``, a dict of such a name as ``type`` and its settings, or a
            callable. Defaults to None: the model is one part.
        backward_prefetch: ``'pre'``, ``'post'`` or torch's ``BackwardPrefetch``: when parameters
            are gathered for the next part in the backward pass. Defaults to None, not ahead.
        **kwargs: Further arguments of torch's class. ``sharding_strategy`` may be given by its
            name, ``mixed_precision`` by a dict whose dtypes are names.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If a name is unknown.
    """

    def __init__(
        self,
        module: nn.Module,
        process_group: ProcessGroup | tuple[ProcessGroup, ProcessGroup] | None = None,
        cpu_offload: bool | CPUOffload | None = None,
        fsdp_auto_wrap_policy: str | dict[str, Any] | WrapPolicy | None = None,
        backward_prefetch: str | BackwardPrefetch | None = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(cpu_offload, bool):
            cpu_offload = CPUOffload(offload_params=cpu_offload)
        elif cpu_offload is not None and not isinstance(cpu_offload, CPUOffload):
            raise TypeError(
                f"cpu_offload must be a bool, CPUOffload or None, not {type(cpu_offload).__name__}"
            )
        if device_kind() == "cpu":
            cpu_offload = None  # everything is there already, and torch looks for an accelerator
        kwargs.setdefault("use_orig_params", True)
        kwargs.setdefault("device_id", _get_current_device())
        for name, convert in (
            ("sharding_strategy", _parse_sharding_strategy),
            ("mixed_precision", _parse_mixed_precision),
        ):
            if name in kwargs:
                kwargs[name] = convert(kwargs[name])
        if process_group is None and "HYBRID" not in str(kwargs.get("sharding_strategy")):
            # With a mesh torch saves states as DTensor, without one in a way that it gives up.
            kwargs.setdefault("device_mesh", init_device_mesh(device_kind(), (get_world_size(),)))
        share_initial_values(module, None if isinstance(process_group, tuple) else process_group)
        super().__init__(
            module,
            process_group=process_group,
            cpu_offload=cpu_offload,
            auto_wrap_policy=build_wrap_policy(fsdp_auto_wrap_policy),
            backward_prefetch=_parse_prefetch(backward_prefetch),
            **kwargs,
        )

    def val_step(self, data: dict[str, Any] | tuple | list) -> list[Any]:
        """Preprocess a batch and predict through the wrapper, which gathers the parameters."""
        data = self.module.data_preprocessor(data, False)
        return run_forward(self, data, "predict")

    def test_step(self, data: dict[str, Any] | tuple | list) -> list[Any]:
        """The same as :meth:`val_step`."""
        return self.val_step(data)


def _get_current_device() -> torch.device:
    kind = device_kind()
    if kind == "cpu":
        return torch.device("cpu")
    return torch.device(kind, torch.accelerator.current_device_index())


def _parse_prefetch(given: Any) -> BackwardPrefetch | None:
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


def _parse_sharding_strategy(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    if given not in ShardingStrategy.__members__:
        raise ValueError(
            f"sharding_strategy must be one of {list(ShardingStrategy.__members__)}, not {given!r}"
        )
    return ShardingStrategy[given]


def _parse_mixed_precision(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    return MixedPrecision(**{name: dtype_of(value) for name, value in given.items()})
