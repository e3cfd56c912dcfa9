"""Parse device and dtypes of sharding in configs."""

from __future__ import annotations

from typing import Any

import torch

from eng.device import get_device

__all__ = ["device_kind", "dtype_of"]


def device_kind() -> str:
    """Return the type of the device of models, such as ``'cuda'``."""
    return torch.device(get_device()).type


def dtype_of(value: object) -> Any:
    """Convert the name of a dtype; other values are returned unchanged.

    Args:
        value: The dtype, such as ``'bfloat16'`` or ``torch.bfloat16``.

    Returns:
        The dtype.

    Raises:
        ValueError: If the dtype is unknown.
    """
    if not isinstance(value, str):
        return value
    found = getattr(torch, value.removeprefix("torch."), None)
    if not isinstance(found, torch.dtype):
        raise ValueError(f"{value!r} is not a dtype of torch, such as 'bfloat16'")
    return found
