"""Peak memory of accelerators."""

import torch

from .availability import get_device

__all__ = ["get_max_cuda_memory", "get_max_memory", "get_max_musa_memory"]

_MEGABYTE = 1024 * 1024


def get_max_cuda_memory(device: torch.device | str | int | None = None) -> int:
    """Peak memory that tensors occupied on a CUDA device since the program began.

    Args:
        device: The device; the current CUDA device when None.

    Returns:
        Megabytes (2**20 bytes), rounded down; 0 while nothing was ever allocated.
    """
    return int(torch.cuda.max_memory_allocated(device)) // _MEGABYTE


def get_max_musa_memory(device: torch.device | str | int | None = None) -> int:
    """Peak memory that tensors occupied on a MUSA device since the program began.

    Args:
        device: The device; the current MUSA device when None.

    Returns:
        Megabytes (2**20 bytes), rounded down.

    Raises:
        RuntimeError: No MUSA device is available.
    """
    if device is None or isinstance(device, int):
        device = "musa" if device is None else f"musa:{device}"
    return get_max_memory(device)


def get_max_memory(device: torch.device | str | int | None = None) -> int:
    """Peak memory that tensors occupied on an accelerator of any kind.

    Args:
        device: The device, such as ``"npu:1"``; an index counts devices of the kind that
            :func:`get_device` names. The current device of that kind when None.

    Returns:
        Megabytes (2**20 bytes), rounded down. 0 for devices that keep no such count (cpu). For
        mps the memory in use now, since Metal keeps no peak.

    Raises:
        RuntimeError: The device's kind is not available here.
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
        raise RuntimeError(f"no {device.type} device is available; here is: {get_device()}")
    return int(module.max_memory_allocated(device)) // _MEGABYTE
