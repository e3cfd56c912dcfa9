"""Measure the peak memory of accelerators."""

import torch

from .availability import get_device

__all__ = ["get_max_cuda_memory", "get_max_memory", "get_max_musa_memory"]

_MEGABYTE = 1024 * 1024


def get_max_cuda_memory(device: torch.device | str | int | None = None) -> int:
    """Return the peak memory of tensors on a CUDA device since the start of the program.

    Args:
        device: The device. Default: the current CUDA device.

    Returns:
        Megabytes (2**20 bytes), rounded down; 0 before the first allocation.
    """
    return int(torch.cuda.max_memory_allocated(device)) // _MEGABYTE


def get_max_musa_memory(device: torch.device | str | int | None = None) -> int:
    """Return the peak memory of tensors on a MUSA device since the start of the program.

    Args:
        device: The device. Default: the current MUSA device.

    Returns:
        Megabytes (2**20 bytes), rounded down.

    Raises:
        RuntimeError: No MUSA device is available.
    """
    if device is None or isinstance(device, int):
        device = "musa" if device is None else f"musa:{device}"
    return get_max_memory(device)


def get_max_memory(device: torch.device | str | int | None = None) -> int:
    """Return the peak memory of tensors on an accelerator of any kind.

    Args:
        device: The device, such as ``"npu:1"``, or an index of devices of the kind of
            :func:`get_device`. Default: the current device of that kind.

    Returns:
        Megabytes (2**20 bytes), rounded down. 0 for devices without such statistics (cpu). For
        mps the memory currently in use, since Metal does not record a peak.

    Raises:
        RuntimeError: The kind of device is not available.
    """
    if device is None:
        device = torch.device(get_device())
    elif isinstance(device, int):
        device = torch.device(get_device(), device)
    else:
        device = torch.device(device)
    if device.type == "cpu":
        return 0
    if device.type == "mps":
        return int(torch.mps.current_allocated_memory()) // _MEGABYTE
    module = getattr(torch, device.type, None)
    if module is None or not module.is_available():
        raise RuntimeError(f"no {device.type} device is available, only {get_device()}")
    return int(module.max_memory_allocated(device)) // _MEGABYTE
