"""Device and dtypes of sharding, as configs name them."""

from __future__ import annotations

from typing import Any

import torch

from eng.device import get_device

__all__ = ["device_kind", "dtype_of"]


def device_kind() -> str:
    """Kind of the device that models are on, such as ``'cuda'``."""
    return torch.device(get_device()).type


def dtype_of(value: Any) -> Any:
    """A dtype by its name; anything that is no name as it is.

    Args:
        value: Such as ``'bfloat16'`` or ``torch.bfloat16``.

    Returns:
        The dtype.

    Raises:
        ValueError: If torch has no such dtype.
    """
    if not isinstance(value, str):
        return value
    found = getattr(torch, value.removeprefix("torch."), None)
    if not isinstance(found, torch.dtype):
        raise ValueError(f"{value!r} is no dtype of torch")
    return found
