"""Environment report, timing, downloads, unwrapping of models and small torch helpers."""

from typing import TYPE_CHECKING

from .download import load_url
from .environment import collect_env, mmcv_full_available, set_multi_processing
from .layers import has_batch_norm, is_norm
from .tensors import TORCH_VERSION, is_jit_tracing, tensor2imgs, torch_meshgrid
from .timing import TimeCounter
from .wrapping import is_model_wrapper, plain_name, unwrap

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "TORCH_VERSION",
    "TimeCounter",
    "collect_env",
    "has_batch_norm",
    "is_jit_tracing",
    "is_model_wrapper",
    "is_norm",
    "load_url",
    "mmcv_full_available",
    "plain_name",
    "set_multi_processing",
    "tensor2imgs",
    "torch_meshgrid",
    "unwrap",
]
