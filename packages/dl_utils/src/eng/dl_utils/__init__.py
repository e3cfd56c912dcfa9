"""Environment report, timing and small torch helpers."""

from typing import TYPE_CHECKING

from eng.dl_utils.download import load_url
from eng.dl_utils.environment import collect_env, mmcv_full_available, set_multi_processing
from eng.dl_utils.layers import has_batch_norm, is_norm
from eng.dl_utils.tensors import TORCH_VERSION, is_jit_tracing, tensor2imgs, torch_meshgrid
from eng.dl_utils.timing import TimeCounter

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "TORCH_VERSION",
    "TimeCounter",
    "collect_env",
    "has_batch_norm",
    "is_jit_tracing",
    "is_norm",
    "load_url",
    "mmcv_full_available",
    "set_multi_processing",
    "tensor2imgs",
    "torch_meshgrid",
]
