"""Names of torch under which code of the OpenMMLab family looks them up.

Another framework used to take the place of torch here; all of them are torch's now.
"""

from typing import Any

import torch
from torch.nn.modules.batchnorm import SyncBatchNorm as SyncBatchNorm_
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.nn.modules.pooling import (
    _AdaptiveAvgPoolNd,
    _AdaptiveMaxPoolNd,
    _AvgPoolNd,
    _MaxPoolNd,
)
from torch.utils.data import DataLoader

from .environment import find_cuda_home
from .tensors import TORCH_VERSION

__all__ = [
    "TORCH_VERSION",
    "DataLoader",
    "PoolDataLoader",
    "SyncBatchNorm",
    "SyncBatchNorm_",
    "_AdaptiveAvgPoolNd",
    "_AdaptiveMaxPoolNd",
    "_AvgPoolNd",
    "_BatchNorm",
    "_ConvNd",
    "_ConvTransposeMixin",
    "_InstanceNorm",
    "_MaxPoolNd",
    "get_build_config",
    "is_rocm_pytorch",
]

PoolDataLoader = DataLoader
_ConvTransposeMixin = _ConvTransposeNd


class SyncBatchNorm(SyncBatchNorm_):
    """The layer of torch under a class of its own."""


def is_rocm_pytorch() -> bool:
    """Whether this build of PyTorch is one for ROCm, with the toolkit beside it."""
    if torch.version.hip is None:
        return False
    try:
        from torch.utils.cpp_extension import ROCM_HOME
    except ImportError:  # it needs setuptools, which not every torch brings
        return True
    return ROCM_HOME is not None


def get_build_config() -> str:
    """Return how this PyTorch was built."""
    return str(torch.__config__.show())


def _get_cuda_home() -> str | None:
    return find_cuda_home()


def _get_dataloader() -> tuple[type, type]:
    return DataLoader, PoolDataLoader


def _get_extension() -> tuple[Any, Any, Any]:
    from torch.utils.cpp_extension import BuildExtension, CppExtension, CUDAExtension

    return BuildExtension, CppExtension, CUDAExtension


def _get_conv() -> tuple[type, type]:
    return _ConvNd, _ConvTransposeMixin


def _get_norm() -> tuple[type, type, type]:
    return _BatchNorm, _InstanceNorm, SyncBatchNorm_


def _get_pool() -> tuple[type, type, type, type]:
    return _AdaptiveAvgPoolNd, _AdaptiveMaxPoolNd, _AvgPoolNd, _MaxPoolNd
