"""Training of models whose parameters are sharded over processes, by ``fully_shard`` (FSDP2)."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import CPUOffloadPolicy, MixedPrecisionPolicy, fully_shard

from eng.registry import MODEL_WRAPPERS
from eng.utils import override

from ..initial_values import share_initial_values
from ..model_steps import ModelSteps
from .device_and_dtype import device_kind, dtype_of
from .wrap_policies import WrapPolicy, build_wrap_policy, parts_to_shard

__all__ = ["MMFullyShard"]


@MODEL_WRAPPERS.register_module()
class MMFullyShard(ModelSteps):
    """Shards a :class:`BaseModel` by :func:`torch.distributed.fsdp.fully_shard`, known as FSDP2.

    Parameters become :class:`~torch.distributed.tensor.DTensor` under their own names: optimizers,
    gradient clipping and ``paramwise_cfg`` work as ever. Build the optimizer after the wrapper.
    Gradients that are accumulated are shared in every iteration, so that they stay sharded.

    Args:
        module: The model. It is sharded in place; its values are those of the first process.
        fsdp_auto_wrap_policy: Which parts are sharded on their own, and so gathered one after
            another: a name in ``FSDP_WRAP_POLICIES``, a dict of such a name as ``type`` and its
            settings, or a callable. Defaults to None: the model is one part.
        mesh: The processes to shard over; two dimensions replicate over the first. Defaults to
            None, all.
        mixed_precision: Arguments of torch's ``MixedPrecisionPolicy``, dtypes by name or
            themselves, or the policy. Defaults to None, no mixed precision.
        cpu_offload: Whether parameters, gradients and the optimizer's state wait on the CPU.
            Defaults to False.
        **kwargs: Further arguments of ``fully_shard``, such as ``reshard_after_forward``.

    Attributes:
        module: The model.

    Raises:
        TypeError: If an argument is unknown.
    """

    def __init__(
        self,
        module: nn.Module,
        fsdp_auto_wrap_policy: str | dict[str, Any] | WrapPolicy | None = None,
        mesh: DeviceMesh | None = None,
        mixed_precision: dict[str, Any] | MixedPrecisionPolicy | None = None,
        cpu_offload: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        unknown = sorted(set(kwargs) - set(inspect.signature(fully_shard).parameters))
        if unknown:
            raise TypeError(f"{type(self).__name__} has no arguments {unknown}")
        if isinstance(mixed_precision, dict):
            mixed_precision = MixedPrecisionPolicy(
                **{name: dtype_of(value) for name, value in mixed_precision.items()}
            )
        if mixed_precision is not None:
            kwargs["mp_policy"] = mixed_precision
        if cpu_offload and device_kind() != "cpu":  # else everything is there already
            kwargs["offload_policy"] = CPUOffloadPolicy()
        policy = build_wrap_policy(fsdp_auto_wrap_policy)
        share_initial_values(module)
        for part in [*(parts_to_shard(module, policy) if policy is not None else ()), module]:
            fully_shard(part, mesh=mesh, **kwargs)
        self.module = module

    @override
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model, whose parameters are gathered for it.

        Args:
            *args: Arguments of the model.
            **kwargs: Arguments of the model.

        Returns:
            What it gives.
        """
        return self.module(*args, **kwargs)

    @override
    def val_step(self, data: dict[str, Any] | tuple | list) -> list[Any]:
        """Predict by the model, then shard it again."""
        return self._reshard_after(super().val_step(data))

    @override
    def test_step(self, data: dict[str, Any] | tuple | list) -> list[Any]:
        """Predict by the model, then shard it again."""
        return self._reshard_after(super().test_step(data))

    def _reshard_after(self, predictions: list[Any]) -> list[Any]:
        # A forward pass leaves the root gathered, for a backward pass that is not to come here.
        if not torch.is_grad_enabled():
            self.module.reshard()
        return predictions
