"""Detect accelerators, measure their peak memory, and autocast."""

from typing import TYPE_CHECKING

from .amp import autocast
from .availability import (
    get_device,
    is_cuda_available,
    is_dipu_available,
    is_mlu_available,
    is_mps_available,
    is_musa_available,
    is_npu_available,
    is_npu_support_full_precision,
)
from .memory import get_max_cuda_memory, get_max_memory, get_max_musa_memory
from .out_of_memory import is_out_of_memory

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "autocast",
    "get_device",
    "get_max_cuda_memory",
    "get_max_memory",
    "get_max_musa_memory",
    "is_cuda_available",
    "is_dipu_available",
    "is_mlu_available",
    "is_mps_available",
    "is_musa_available",
    "is_npu_available",
    "is_npu_support_full_precision",
    "is_out_of_memory",
]
