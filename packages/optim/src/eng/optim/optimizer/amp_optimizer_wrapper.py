"""Updating parameters under automatic mixed precision."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from eng.device import get_device
from eng.registry import OPTIM_WRAPPERS
from eng.utils import override

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

    With float16 the loss is scaled so that small gradients do not vanish, and an update whose
    gradients overflowed is left out. bfloat16 has the range of float32 and needs no scaling.

    Args:
        loss_scale: ``'dynamic'`` (default) for a scaler with torch's own settings, a number for
            its initial scale, a dict for any arguments of :class:`torch.amp.GradScaler`.
        dtype: One of :attr:`valid_dtypes`, by name or as a :class:`torch.dtype`; with float32 and
            float64 nothing is cast. Defaults to None: float16 on an accelerator, bfloat16 on the
            CPU.
        use_fsdp: Whether the model is sharded by FullyShardedDataParallel. It is found out when
            the model is first seen as well. Defaults to False.
        **kwargs: Arguments of :class:`OptimWrapper`.

    Raises:
        TypeError: If ``loss_scale`` is none of these.
        ValueError: If ``dtype`` or a word as ``loss_scale`` is unknown.
    """

    #: Names of the types that the forward pass may run in.
    valid_dtypes = tuple(_DTYPES)

    def __init__(
        self,
        loss_scale: str | float | dict[str, Any] = "dynamic",
        dtype: str | torch.dtype | None = None,
        use_fsdp: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.device_type = torch.device(get_device()).type
        self.cast_dtype = _cast_dtype(dtype, self.device_type)
        self._scaler_settings = _scaler_settings(loss_scale)
        self._scaler_settings.setdefault("enabled", self.cast_dtype is torch.float16)
        self.loss_scaler = torch.amp.GradScaler(self.device_type, **self._scaler_settings)
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
        """Undo the scaling, clip, update unless a gradient overflowed, and adapt the scale.

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
        """Around the forward pass: mixed precision, and no sharing of gradients in between.

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
    def state_dict(self) -> dict[str, Any]:
        """The state of the optimizer, with that of the scaler under ``loss_scaler``."""
        return {**super().state_dict(), "loss_scaler": self.loss_scaler.state_dict()}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state of the optimizer and, where there is one, of the scaler.

        Args:
            state_dict: What :meth:`state_dict` of this class or of :class:`OptimWrapper` gave.
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
        if fsdp is None or not isinstance(model, fsdp.FullyShardedDataParallel):
            return
        self._shard_scaler()

    def _shard_scaler(self) -> None:
        # Each process has a part of the gradients: all must leave out an update if one overflows.
        from torch.distributed.fsdp.sharded_grad_scaler import ShardedGradScaler

        state = self.loss_scaler.state_dict()
        self.loss_scaler = ShardedGradScaler(self.device_type, **self._scaler_settings)
        self.loss_scaler.load_state_dict(state)


def _cast_dtype(dtype: str | torch.dtype | None, device_type: str) -> torch.dtype:
    if dtype is None:
        return torch.bfloat16 if device_type == "cpu" else torch.float16
    chosen = _DTYPES.get(dtype) if isinstance(dtype, str) else dtype
    if chosen is None or chosen not in _DTYPES.values():
        raise ValueError(f"dtype should be one of {sorted(_DTYPES)} or None, not {dtype!r}")
    return chosen


def _scaler_settings(loss_scale: str | float | dict[str, Any]) -> dict[str, Any]:
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
