"""Which kinds of accelerator this process can use."""

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


# The number that the vendor's extension gives its first chip with full precision.
_FIRST_FULL_PRECISION_NPU = 220


def get_device() -> str:
    """Name the kind of device that this process should compute on.

    Returns:
        ``cuda``, ``npu``, ``mlu``, ``mps``, ``dipu`` or ``musa``, the first of these that is
        available, else ``cpu``.
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
    """Answer ``DEVICE``, the older name of what :func:`get_device` returns, when it is read."""
    if name == "DEVICE":
        return get_device()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def is_cuda_available() -> bool:
    """Whether CUDA (or ROCm) devices exist that this build of PyTorch can use."""
    return torch.cuda.is_available()


def is_mlu_available() -> bool:
    """Whether Cambricon's PyTorch extension and MLU devices exist."""
    return _extension_device_available("mlu", extension="torch_mlu")


def is_npu_available() -> bool:
    """Whether Ascend's PyTorch extension and NPU devices exist."""
    return _extension_device_available("npu", extension="torch_npu")


def is_dipu_available() -> bool:
    """Whether the PyTorch extension DIPU and its devices exist."""
    return _extension_device_available("dipu", extension="torch_dipu")


def is_musa_available() -> bool:
    """Whether Moore Threads' PyTorch extension and MUSA devices exist."""
    return _extension_device_available("musa", extension="torch_musa")


def is_npu_support_full_precision() -> bool:
    """Whether an Ascend device exists that computes in full precision."""
    if not is_npu_available():
        return False
    # The first generation of its chips computes in half precision alone.
    version = importlib.import_module("torch_npu.npu.utils").get_soc_version()
    return bool(version >= _FIRST_FULL_PRECISION_NPU)


def is_mps_available() -> bool:
    """Whether an Apple GPU exists that this build of PyTorch can use."""
    return torch.backends.mps.is_available()


def _extension_device_available(name: str, extension: str) -> bool:
    if not hasattr(torch, name) and not _import_extension(extension):
        return False
    module = getattr(torch, name, None)
    return module is not None and bool(module.is_available())


@cache
def _import_extension(extension: str) -> bool:
    # A module that was put there by hand has no spec, which find_spec answers with an error.
    if sys.modules.get(extension) is None and importlib.util.find_spec(extension) is None:
        return False
    try:
        importlib.import_module(extension)
    except Exception as error:  # vendors' extensions load drivers: anything may be raised
        warnings.warn(
            f"{extension} is installed but cannot be imported, its devices are not used: "
            f"{type(error).__name__}: {error}",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True
