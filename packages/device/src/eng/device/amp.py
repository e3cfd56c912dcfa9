"""Automatic mixed precision on all kinds of devices."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .availability import get_device

__all__ = ["autocast"]

# On these devices torch.autocast disables itself for other types, with only a warning.
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
        device_type: Kind of device, such as ``"cuda"`` or ``"cpu"``. Default: that of
            :func:`eng.device.get_device`.
        dtype: Type to compute in. Default: the default of PyTorch for the device, float16 on most
            accelerators and bfloat16 on the CPU.
        enabled: False runs the region in full precision.
        cache_enabled: Whether to cache casts of weights within the region. Default: the current
            setting of PyTorch.

    Raises:
        ValueError: This build of PyTorch does not support autocast for the device type, or the
            device does not support ``dtype``.

    Examples:
        >>> with autocast(device_type="cpu"):
        ...     torch.ones(2, 2).mm(torch.ones(2, 2)).dtype
        torch.bfloat16
    """
    device_type = get_device() if device_type is None else _parse_kind(device_type)
    if not _supports_autocast(device_type):
        if enabled:
            raise ValueError(
                f"PyTorch {torch.__version__} does not support autocast for device type "
                f"{device_type!r}; use one of {', '.join(_list_supported_types())}, or "
                "enabled=False"
            )
        yield
        return
    if enabled and dtype is not None and device_type in _HALF_ONLY and dtype not in _HALF_TYPES:
        raise ValueError(
            f"autocast on {device_type} supports torch.bfloat16 and torch.float16, but got {dtype}"
        )
    with torch.autocast(
        device_type=device_type, dtype=dtype, enabled=enabled, cache_enabled=cache_enabled
    ):
        yield


def _parse_kind(device_type: str) -> str:
    if not isinstance(device_type, str):
        raise TypeError(f"device_type must be a str such as 'cuda', but got {device_type!r}")
    return device_type.split(":", maxsplit=1)[0]


def _supports_autocast(device_type: str) -> bool:
    try:
        return torch.amp.is_autocast_available(device_type)
    except RuntimeError:  # a name that is unknown to PyTorch
        return False


def _list_supported_types() -> list[str]:
    return [
        name for name in ("cuda", "cpu", "mps", "xpu", "npu", "mlu") if _supports_autocast(name)
    ]
