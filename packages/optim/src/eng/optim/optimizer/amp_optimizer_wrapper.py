"""Update the parameters of a model with automatic mixed precision."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from eng.device import get_device
from eng.dist import all_reduce
from eng.registry import OPTIM_WRAPPERS
from eng.utils import ArgumentValueError, StateDict, override

from ..types import Arguments
from .optimizer_wrapper import OptimWrapper

__all__ = ["AmpOptimWrapper"]

_DTYPES = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
}


@OPTIM_WRAPPERS.register_module()
class AmpOptimWrapper(OptimWrapper):
    """An :class:`OptimWrapper` whose forward pass runs in mixed precision.

    With float16 the loss is scaled so that small gradients do not underflow, and an update whose
    gradients overflowed is skipped. bfloat16 has the range of float32 and needs no scaling.

    Args:
        loss_scale: ``'dynamic'`` (default) for a scaler with torch's default settings, a number for
            its initial scale, a dict for any arguments of :class:`torch.amp.GradScaler`.
        dtype: One of :attr:`valid_dtypes`, by name or as a :class:`torch.dtype`; float32 and
            float64 disable casting. Defaults to None: float16 on an accelerator, bfloat16 on the
            CPU.
        use_fsdp: Whether the model is sharded by FullyShardedDataParallel, which is also detected
            at the first forward pass. Defaults to False.
        **kwargs: Arguments of :class:`OptimWrapper`.

    Raises:
        TypeError: If ``loss_scale`` has another type.
        ValueError: If ``dtype`` or the name of a ``loss_scale`` is unknown.
    """

    #: Names of the dtypes of the forward pass.
    valid_dtypes = tuple(_DTYPES)

    def __init__(
        self,
        loss_scale: str | float | Arguments = "dynamic",
        dtype: str | torch.dtype | None = None,
        use_fsdp: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.device_type = torch.device(get_device()).type
        self.cast_dtype = _parse_dtype(dtype, self.device_type)
        self._scaler_settings = _parse_loss_scale(loss_scale)
        self._scaler_settings.setdefault("enabled", self.cast_dtype is torch.float16)
        self.loss_scaler = torch.amp.GradScaler(self.device_type, **self._scaler_settings)
        if self.takes_closure and self.loss_scaler.is_enabled():
            raise ArgumentValueError(
                f"{type(self.optimizer).__name__} takes a closure, which does not go with the loss "
                "scale of float16: use dtype='bfloat16', or OptimWrapper"
            )
        if use_fsdp:
            self._shard_scaler()

    @override
    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Scale a loss, compute its gradients and count the iteration.

        Args:
            loss: The loss.
            **kwargs: Arguments of :meth:`torch.Tensor.backward`.
        """
        self.loss_scaler.scale(loss).backward(**kwargs)  # type: ignore[no-untyped-call]
        self._inner_count += 1
        self._gradients_are_spent = False

    @override
    def step(self, **kwargs: Any) -> None:
        """Unscale and clip the gradients, update unless one overflowed, and adapt the scale.

        Args:
            **kwargs: Arguments of :meth:`torch.optim.Optimizer.step`.
        """
        if self.clip_grad_kwargs:
            self.loss_scaler.unscale_(self.optimizer)
            self._clip_grad()
        self.loss_scaler.step(self.optimizer, **kwargs)
        self.loss_scaler.update()
        self._gradients_are_spent = True

    @contextmanager
    @override
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter the context of the forward pass: mixed precision, and that of the base class.

        Args:
            model: The model, possibly wrapped.

        Yields:
            Nothing.
        """
        is_cast = self.cast_dtype in (torch.float16, torch.bfloat16)
        dtype = self.cast_dtype if is_cast else None
        casting = torch.autocast(self.device_type, dtype=dtype, enabled=is_cast)
        with super().optim_context(model), casting:
            yield

    @override
    def state_dict(self) -> StateDict:
        """Return the state of the optimizer, with that of the scaler as ``loss_scaler``."""
        return {**super().state_dict(), "loss_scaler": self.loss_scaler.state_dict()}

    @override
    def load_state_dict(self, state_dict: StateDict) -> None:
        """Load a state of the optimizer and of the scaler, if it has one.

        Args:
            state_dict: Result of :meth:`state_dict` of this class or of :class:`OptimWrapper`.
        """
        state = dict(state_dict)
        scaler = state.pop("loss_scaler", None)
        if scaler:
            self.loss_scaler.load_state_dict(scaler)
        super().load_state_dict(state)

    @override
    def _meet_model(self, model: nn.Module) -> None:
        super()._meet_model(model)
        fsdp = sys.modules.get("torch.distributed.fsdp")
        if fsdp is not None and isinstance(model, fsdp.FullyShardedDataParallel):
            self._shard_scaler()
        elif any(hasattr(parameter, "device_mesh") for parameter in model.parameters()):
            self._replace_scaler(SharedGradScaler)

    def _shard_scaler(self) -> None:
        # Each process has a shard of the gradients: all must skip an update if one overflows.
        from torch.distributed.fsdp.sharded_grad_scaler import ShardedGradScaler

        self._replace_scaler(ShardedGradScaler)

    def _replace_scaler(self, kind: type[torch.amp.GradScaler]) -> None:
        state = self.loss_scaler.state_dict()
        self.loss_scaler = kind(self.device_type, **self._scaler_settings)
        self.loss_scaler.load_state_dict(state)


class SharedGradScaler(torch.amp.GradScaler):
    """Scaler of gradients that are sharded over one or several meshes.

    torch asks the processes of one mesh for overflows. Those of others would go on to update.
    """

    @override
    def _unscale_grads_(self, *args: Any, **kwargs: Any) -> dict[torch.device, Tensor]:
        found: dict[torch.device, Tensor] = super()._unscale_grads_(*args, **kwargs)
        for each in found.values():
            all_reduce(each, "max")
        return found


def _parse_dtype(dtype: str | torch.dtype | None, device_type: str) -> torch.dtype:
    if dtype is None:
        return torch.bfloat16 if device_type == "cpu" else torch.float16
    chosen = _DTYPES.get(dtype) if isinstance(dtype, str) else dtype
    if chosen is None or chosen not in _DTYPES.values():
        raise ValueError(f"dtype should be one of {sorted(_DTYPES)} or None, not {dtype!r}")
    return chosen


def _parse_loss_scale(loss_scale: str | float | Arguments) -> Arguments:
    if isinstance(loss_scale, dict):
        return dict(loss_scale)
    if isinstance(loss_scale, (int, float)):
        return {"init_scale": float(loss_scale)}
    if not isinstance(loss_scale, str):
        raise TypeError(
            f"loss_scale must be 'dynamic', a number or a dict, not {type(loss_scale).__name__}"
        )
    if loss_scale != "dynamic":
        raise ValueError(f"loss_scale must be 'dynamic', a number or a dict, not {loss_scale!r}")
    return {}
