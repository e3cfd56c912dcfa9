"""Recognize errors of memory that ran out."""

import errno

import torch

__all__ = ["is_out_of_memory"]

#: Parts of messages of RuntimeError, by which libraries report it that have no class for it.
_MESSAGES = (
    "out of memory",  # CUDA, HIP, MPS and XPU
    "can't allocate memory",  # torch on the CPU
    "not enough memory",  # torch on the CPU of Windows
    "alloc_failed",  # CUBLAS_STATUS_ALLOC_FAILED, CUDNN_STATUS_ALLOC_FAILED
    "unable to allocate",
    "cannot allocate memory",
    "std::bad_alloc",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the memory of a device or of the machine ran out.

    Args:
        error: Any error.

    Returns:
        True for :class:`MemoryError`, :class:`torch.OutOfMemoryError`, an :class:`OSError` with
        ``ENOMEM``, and a :class:`RuntimeError` with such a message.

    Examples:
        >>> is_out_of_memory(RuntimeError("CUDA error: out of memory"))
        True
        >>> is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
        False
    """
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    message = str(error).lower()
    return isinstance(error, RuntimeError) and any(part in message for part in _MESSAGES)
