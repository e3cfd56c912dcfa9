"""Describe batches, so that those of two runs can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from eng.utils import DataBatch, DataSample

__all__ = ["find_sample_indices", "hash_batch"]


def hash_batch(data_batch: DataBatch) -> str:
    """Hash the content of a batch: bits, shapes and types of tensors and arrays, numbers and text.

    Metainfo of data elements, such as paths of files, does not count. Batches on an accelerator are
    copied from it.

    Args:
        data_batch: Nested dicts, lists, tuples and data elements.

    Returns:
        16 hexadecimal digits.

    Examples:
        >>> hash_batch([torch.zeros(2)]) == hash_batch([torch.zeros(2)])
        True
        >>> hash_batch([torch.zeros(2)]) == hash_batch([torch.tensor([0.0, -0.0])])
        False
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in _split(data_batch):
        digest.update(part)
    return digest.hexdigest()


def find_sample_indices(data_batch: DataBatch) -> list[int]:
    """Find the indices of samples, the ``sample_idx`` of :class:`eng.dataset.BaseDataset`.

    Args:
        data_batch: The batch.

    Returns:
        The indices in order; empty if samples do not have them.
    """
    samples = data_batch.get("data_samples") if isinstance(data_batch, Mapping) else data_batch
    if not isinstance(samples, (list, tuple)):
        return []
    found = [each.get("sample_idx") for each in samples if hasattr(each, "get")]
    return [int(index) for index in found if isinstance(index, (int, np.integer))]


def _split(value: DataSample) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a value, each container and tensor with a head that says its type."""
    if isinstance(value, Tensor):
        tensor = value.detach()
        yield f"tensor {tensor.dtype} {tuple(tensor.shape)}".encode()
        plain = tensor.to_dense() if tensor.layout is not torch.strided else tensor
        yield plain.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"array {value.dtype} {value.shape}".encode()
        yield np.ascontiguousarray(value).reshape(-1).view(np.uint8).data
    elif isinstance(value, Mapping):
        yield f"dict {len(value)}".encode()
        for key, item in value.items():
            yield repr(key).encode()
            yield from _split(item)
    elif hasattr(value, "metainfo_keys"):  # a data element
        yield from _split(dict(value.items()))
    elif isinstance(value, (list, tuple, np.ndarray)):
        yield f"list {len(value)}".encode()
        for item in value:
            yield from _split(item)
    elif value is None or isinstance(value, (str, bytes, int, float, complex, np.generic)):
        yield f"{type(value).__name__} {value!r}".encode()
    else:
        yield type(value).__qualname__.encode()  # its repr may have its address
