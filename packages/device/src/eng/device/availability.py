"""Detect the accelerators that this process can use."""

import importlib
import importlib.util
import sys
import warnings
from functools import cache

import torch

__all__ = [
    "get_device",
    "is_cuda_available",
    "is_dipu_available",
    "is_mlu_available",
    "is_mps_available",
    "is_musa_available",
    "is_npu_available",
    "is_npu_support_full_precision",
]


# Version of the first chip with full precision, as reported by the extension of the vendor.
_FIRST_FULL_PRECISION_NPU = 220


def get_device() -> str:
    """Return the kind of device to compute on.

    Returns:
        The first available of ``cuda``, ``npu``, ``mlu``, ``mps``, ``dipu`` and ``musa``, or
        ``cpu``.
    """
    if is_cuda_available():
        return "cuda"
    if is_npu_available():
        return "npu"
    if is_mlu_available():
        return "mlu"
    if is_mps_available():
        return "mps"
    if is_dipu_available():
        return "dipu"
    if is_musa_available():
        return "musa"
    return "cpu"


def __getattr__(name: str) -> str:
    """Return :func:`get_device` as ``DEVICE``, its older name."""
    if name == "DEVICE":
        return get_device()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def is_cuda_available() -> bool:
    """Return whether this build of PyTorch can use a CUDA (or ROCm) device."""
    return torch.cuda.is_available()


def is_mlu_available() -> bool:
    """Return whether an MLU device and the PyTorch extension of Cambricon are available."""
    return _is_extension_device_available("mlu", extension="torch_mlu")


def is_npu_available() -> bool:
    """Return whether an NPU device and the PyTorch extension of Ascend are available."""
    return _is_extension_device_available("npu", extension="torch_npu")


def is_dipu_available() -> bool:
    """Return whether the PyTorch extension DIPU and its devices are available."""
    return _is_extension_device_available("dipu", extension="torch_dipu")


def is_musa_available() -> bool:
    """Return whether a MUSA device and the extension of Moore Threads are available."""
    return _is_extension_device_available("musa", extension="torch_musa")


def is_npu_support_full_precision() -> bool:
    """Return whether an Ascend device with full precision is available."""
    if not is_npu_available():
        return False
    # The first generation of these chips supports half precision only.
    version = importlib.import_module("torch_npu.npu.utils").get_soc_version()
    return bool(version >= _FIRST_FULL_PRECISION_NPU)


def is_mps_available() -> bool:
    """Return whether this build of PyTorch can use an Apple GPU."""
    return torch.backends.mps.is_available()


def _is_extension_device_available(name: str, extension: str) -> bool:
    if not hasattr(torch, name) and not _import_extension(extension):
        return False
    module = getattr(torch, name, None)
    return module is not None and bool(module.is_available())


@cache
def _import_extension(extension: str) -> bool:
    # A module inserted by hand has no spec, for which find_spec raises an error.
    if sys.modules.get(extension) is None and importlib.util.find_spec(extension) is None:
        return False
    try:
        importlib.import_module(extension)
    except Exception as error:  # extensions of vendors load drivers, which may raise any error
        warnings.warn(
            f"{extension} is installed but cannot be imported, so its devices are not used: "
            f"{type(error).__name__}: {error}",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True
