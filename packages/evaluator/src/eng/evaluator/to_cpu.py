"""Move results to the CPU, so that they do not accumulate on the accelerator."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from eng.structures import BaseDataElement
from eng.utils import DataSample

__all__ = ["to_cpu"]


def to_cpu(data: DataSample) -> DataSample:
    """Detach the tensors in data and move them to the CPU.

    Args:
        data: Tensors, alone or in data elements, dicts, lists and tuples. Other objects are
            returned unchanged.

    Returns:
        The same structure with detached tensors on the CPU.
    """
    if isinstance(data, (Tensor, BaseDataElement)):
        return data.detach().cpu()
    if isinstance(data, Mapping):
        return {key: to_cpu(value) for key, value in data.items()}
    if isinstance(data, tuple):
        items = [to_cpu(item) for item in data]
        return type(data)(*items) if hasattr(data, "_fields") else tuple(items)
    return [to_cpu(item) for item in data] if isinstance(data, list) else data
