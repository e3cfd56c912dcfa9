"""Copy batches to a device ahead of their use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor

from eng.utils import DataBatch

__all__ = ["prefetch_to_device"]


def prefetch_to_device(
    batches: Iterable[DataBatch], device: torch.device | str
) -> Iterator[DataBatch]:
    """Copy each batch to a device on a stream of its own, while the one before it is used.

    Only copies from pinned memory (``pin_memory=True`` of a data loader) run beside the
    computation. One batch more than without it is on the device.

    Args:
        batches: Batches on the host: tensors, and objects with a method ``to``, in any nesting of
            dicts, lists, tuples and named tuples. Anything else in them is passed on.
        device: The device. Without streams, as the CPU is, nothing is copied or read ahead.

    Yields:
        The batches on the device. Mappings of any class become dicts.

    Examples:
        >>> for batch in prefetch_to_device([{"x": torch.ones(2)}], "cpu"):
        ...     print(batch["x"].sum())
        tensor(2.)
    """
    device = torch.device(device)
    if device.type == "cpu" or not hasattr(torch.get_device_module(device), "Stream"):
        yield from batches
        return
    backend = torch.get_device_module(device)
    copying = backend.Stream(device)
    ahead: list[tuple[DataBatch, torch.Event]] = []
    for batch in batches:
        # Memory that a batch before had may be used again: only what reads it is waited for.
        copying.wait_stream(backend.current_stream(device))
        with backend.stream(copying):
            ahead.append((_copy(batch, device), copying.record_event()))
        if len(ahead) > 1:
            yield _take(ahead, backend.current_stream(device))
    if ahead:
        yield _take(ahead, backend.current_stream(device))


def _take(ahead: list[tuple[DataBatch, torch.Event]], stream: torch.Stream) -> DataBatch:
    """Take the first batch, which a stream uses once it is copied."""
    batch, copied = ahead.pop(0)
    stream.wait_event(copied)
    return batch


def _copy(data: DataBatch, device: torch.device) -> DataBatch:
    if isinstance(data, Tensor):
        return data.to(device, non_blocking=True)
    if isinstance(data, Mapping):
        return {key: _copy(value, device) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        values = [_copy(value, device) for value in data]
        return type(data)(*values) if hasattr(data, "_fields") else type(data)(values)
    return data.to(device, non_blocking=True) if hasattr(data, "to") else data
