"""Which accelerator is here."""

from eng.device.amp import autocast
from eng.device.availability import (
    get_device,
    is_cuda_available,
    is_mlu_available,
    is_mps_available,
    is_npu_available,
)
from eng.device.memory import get_max_cuda_memory, get_max_memory

__all__ = [
    "autocast",
    "get_device",
    "get_max_cuda_memory",
    "get_max_memory",
    "is_cuda_available",
    "is_mlu_available",
    "is_mps_available",
    "is_npu_available",
]
