"""Results off the accelerator, on which they would pile up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from eng.structures import BaseDataElement

__all__ = ["to_cpu"]


def to_cpu(data: Any) -> Any:
    """Move the tensors in data to the CPU.

    Args:
        data: Anything. Tensors are looked for in data elements, dicts, lists and tuples.

    Returns:
        The same with its tensors, cut from their graphs, on the CPU.
    """
    if isinstance(data, (Tensor, BaseDataElement)):
        return data.detach().cpu()
    if isinstance(data, Mapping):
        return {key: to_cpu(value) for key, value in data.items()}
    if isinstance(data, tuple):
        items = [to_cpu(item) for item in data]
        return type(data)(*items) if hasattr(data, "_fields") else tuple(items)
    return [to_cpu(item) for item in data] if isinstance(data, list) else data
