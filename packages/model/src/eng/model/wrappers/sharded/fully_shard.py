"""Wrapper that shards a model over processes by ``fully_shard`` (FSDP2)."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import CPUOffloadPolicy, MixedPrecisionPolicy, fully_shard

from eng.registry import MODEL_WRAPPERS, PartConfig
from eng.utils import DataBatch, override

from ...initial_values import share_initial_values
from ...types import ModelOutputs, Prediction
from ..model_steps import ModelSteps
from .device_and_dtype import device_kind, dtype_of
from .meshes import build_mesh
from .wrap_policies import WrapPolicy, build_wrap_policy, parts_to_shard

__all__ = ["MMFullyShard"]


@MODEL_WRAPPERS.register_module()
class MMFullyShard(ModelSteps):
    """Shards a :class:`BaseModel` by :func:`torch.distributed.fsdp.fully_shard`, known as FSDP2.

    Parameters become :class:`~torch.distributed.tensor.DTensor` under their own names: optimizers,
    gradient clipping and ``paramwise_cfg`` work unchanged. Build the optimizer after the wrapper.
    Accumulated gradients are synchronized in every iteration, so that they stay sharded, unless
    ``sync_accumulation`` is False.

    Args:
        module: The model, which is sharded in place with the values of the first process.
        fsdp_auto_wrap_policy: Which parts are sharded separately and gathered one after another: a
            name in ``FSDP_WRAP_POLICIES``, a dict of such a name as ``type`` and its settings, or a
            callable. Defaults to None: the model is one part.
        mesh: The processes to shard over: sizes of dimensions by name, such as ``dict(data=2,
            shard='rest')``, a list of sizes, or torch's ``DeviceMesh``. Two dimensions replicate
            over the first. Defaults to None, all.
        mixed_precision: Arguments of torch's ``MixedPrecisionPolicy``, whose dtypes may be names
            and whose ``output_dtype`` is that of the whole model; or the policy, which every part
            has. Defaults to None, no mixed precision.
        cpu_offload: Whether to offload parameters, gradients and optimizer states to the CPU.
            Defaults to False.
        sync_accumulation: Whether accumulated gradients are summed over processes in every
            iteration, so that they stay sharded. If False, they are summed once an update, and each
            process keeps whole ones until then, which a checkpoint inside an update does not have.
            Defaults to True.
        **kwargs: Further arguments of ``fully_shard``, such as ``reshard_after_forward``.

    Attributes:
        module: The model.

    Raises:
        TypeError: If an argument is unknown, or ``mesh`` is none of these.
        ValueError: If ``mesh`` does not fit the number of processes.
    """

    def __init__(
        self,
        module: nn.Module,
        fsdp_auto_wrap_policy: str | PartConfig | WrapPolicy | None = None,
        mesh: Mapping[str, int | str] | Sequence[int | str] | DeviceMesh | None = None,
        mixed_precision: dict[str, object] | MixedPrecisionPolicy | None = None,
        cpu_offload: bool = False,
        sync_accumulation: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        unknown = sorted(set(kwargs) - set(inspect.signature(fully_shard).parameters))
        if unknown:
            raise TypeError(f"{type(self).__name__} got unexpected arguments {unknown}")
        same = kwargs.pop("mp_policy", None)  # under the name in torch
        precision, of_parts = _read_precision(same if mixed_precision is None else mixed_precision)
        if cpu_offload and device_kind() != "cpu":
            kwargs["offload_policy"] = CPUOffloadPolicy()
        policy = build_wrap_policy(fsdp_auto_wrap_policy)
        devices = build_mesh(mesh)
        share_initial_values(module)
        parts = parts_to_shard(module, policy) if policy is not None else []
        for part in [*parts, module]:
            mp_policy = precision if part is module else of_parts
            fully_shard(part, mesh=devices, mp_policy=mp_policy, **kwargs)
        self.module = module
        if not sync_accumulation:
            #: Asked for by an optimizer wrapper, with whether the iteration completes an update.
            self.set_gradient_sync = module.set_requires_gradient_sync

    @override
    def forward(self, *args: object, **kwargs: object) -> ModelOutputs:
        return self.module(*args, **kwargs)

    @override
    def val_step(self, data: DataBatch) -> list[Prediction]:
        return self._reshard_after(super().val_step(data))

    @override
    def test_step(self, data: DataBatch) -> list[Prediction]:
        return self._reshard_after(super().test_step(data))

    def _reshard_after(self, predictions: list[Prediction]) -> list[Prediction]:
        # A forward pass leaves the root gathered for a backward pass, which does not follow here.
        if not torch.is_grad_enabled():
            self.module.reshard()
        return predictions


def _read_precision(
    given: dict[str, object] | MixedPrecisionPolicy | None,
) -> tuple[MixedPrecisionPolicy, MixedPrecisionPolicy]:
    """Read the mixed precision of a model and of the parts that are sharded separately."""
    if isinstance(given, MixedPrecisionPolicy):
        return given, given
    dtypes: dict[str, Any] = {name: dtype_of(value) for name, value in (given or {}).items()}
    # What follows a part in the model has parameters of the lower precision.
    of_parts = MixedPrecisionPolicy(**{**dtypes, "output_dtype": None})
    return MixedPrecisionPolicy(**dtypes), of_parts
