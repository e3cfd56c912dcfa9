"""Automatic mixed precision on whatever device is here."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .availability import get_device

__all__ = ["autocast"]

# torch.autocast switches itself off, with no more than a warning, for other types on these devices
_HALF_TYPES = (torch.bfloat16, torch.float16)
_HALF_ONLY = ("cpu", "mps", "xpu")


@contextmanager
def autocast(
    device_type: str | None = None,
    dtype: torch.dtype | None = None,
    enabled: bool = True,
    cache_enabled: bool | None = None,
) -> Iterator[None]:
    """Run a region in mixed precision; also usable as a decorator.

    Args:
        device_type: Kind of device, such as ``"cuda"`` or ``"cpu"``; what
            :func:`eng.device.get_device` names when None.
        dtype: Type to compute in. When None, PyTorch's choice for the device: float16 on most
            accelerators, bfloat16 on the CPU.
        enabled: False runs the region in full precision.
        cache_enabled: Whether weights cast once stay cast within the region; PyTorch's current
            setting when None.

    Raises:
        ValueError: This build of PyTorch has no autocast for the device type, or the device
            cannot compute in ``dtype``.

    Examples:
        >>> with autocast(device_type="cpu"):
        ...     torch.ones(2, 2).mm(torch.ones(2, 2)).dtype
        torch.bfloat16
    """
    device_type = get_device() if device_type is None else _kind(device_type)
    if not _supports_autocast(device_type):
        if enabled:
            raise ValueError(
                f"PyTorch {torch.__version__} has no autocast for device type {device_type!r}; "
                f"use one of {', '.join(_supported_types())}, or enabled=False"
            )
        yield
        return
    if enabled and dtype is not None and device_type in _HALF_ONLY and dtype not in _HALF_TYPES:
        raise ValueError(
            f"autocast on {device_type} computes in torch.bfloat16 or torch.float16, not in {dtype}"
        )
    with torch.autocast(
        device_type=device_type, dtype=dtype, enabled=enabled, cache_enabled=cache_enabled
    ):
        yield


def _kind(device_type: str) -> str:
    if not isinstance(device_type, str):
        raise TypeError(f"device_type is a str such as 'cuda', not {device_type!r}")
    return device_type.split(":", maxsplit=1)[0]


def _supports_autocast(device_type: str) -> bool:
    try:
        return torch.amp.is_autocast_available(device_type)
    except RuntimeError:  # a name that PyTorch has never heard of
        return False


def _supported_types() -> list[str]:
    return [
        name for name in ("cuda", "cpu", "mps", "xpu", "npu", "mlu") if _supports_autocast(name)
    ]
