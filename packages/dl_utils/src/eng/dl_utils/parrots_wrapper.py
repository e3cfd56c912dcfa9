"""Classes of torch under the names that OpenMMLab libraries import.

They used to support another framework in place of torch; all of them are from torch now.
"""

from collections.abc import Callable

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
    """A subclass of the layer of torch."""


def is_rocm_pytorch() -> bool:
    """Whether PyTorch is built for ROCm and the ROCm toolkit is installed."""
    if torch.version.hip is None:
        return False
    try:
        from torch.utils.cpp_extension import ROCM_HOME
    except ImportError:  # it needs setuptools, which some versions of torch do not require
        return True
    return ROCM_HOME is not None


def get_build_config() -> str:
    """Return the build configuration of PyTorch."""
    return str(torch.__config__.show())


def _get_cuda_home() -> str | None:
    return find_cuda_home()


def _get_dataloader() -> tuple[type, type]:
    return DataLoader, PoolDataLoader


def _get_extension() -> tuple[type, Callable[..., object], Callable[..., object]]:
    from torch.utils.cpp_extension import BuildExtension, CppExtension, CUDAExtension

    return BuildExtension, CppExtension, CUDAExtension


def _get_conv() -> tuple[type, type]:
    return _ConvNd, _ConvTransposeMixin


def _get_norm() -> tuple[type, type, type]:
    return _BatchNorm, _InstanceNorm, SyncBatchNorm_


def _get_pool() -> tuple[type, type, type, type]:
    return _AdaptiveAvgPoolNd, _AdaptiveMaxPoolNd, _AvgPoolNd, _MaxPoolNd
