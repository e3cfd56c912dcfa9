"""Collate samples to batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch.utils.data import default_collate as torch_default_collate

from eng.registry import COLLATE_FUNCTIONS, FUNCTIONS
from eng.utils import DataBatch, DataSample

__all__ = ["COLLATE_FUNCTIONS", "default_collate", "pseudo_collate"]


@FUNCTIONS.register_module()
def pseudo_collate(data_batch: Sequence[DataSample]) -> DataBatch:
    """Collate samples to nested lists, without stacking tensors.

    Args:
        data_batch: Samples of the same structure: dicts, tuples or lists in any nesting.

    Returns:
        The structure of one sample, in which each leaf is the list of the leaves of all samples.

    Raises:
        ValueError: If corresponding sequences differ in length.
        KeyError: If a dict lacks a key of the first one.
    """
    return _transpose(data_batch, list)


@FUNCTIONS.register_module()
def default_collate(data_batch: Sequence[DataSample]) -> DataBatch:
    """Collate samples, stacking tensors, arrays and numbers to batched tensors.

    Args:
        data_batch: Samples of the same structure and shapes: dicts, tuples or lists in any nesting.

    Returns:
        The structure of one sample, in which each leaf is a tensor whose first dimension is the
        batch. Strings and objects stay lists.

    Raises:
        ValueError: If corresponding sequences differ in length.
        KeyError: If a dict lacks a key of the first one.
    """
    return _transpose(data_batch, _stack)


def _transpose(
    samples: Sequence[DataSample], leaf: Callable[[Sequence[DataSample]], DataBatch]
) -> DataBatch:
    first = samples[0]
    if isinstance(first, Mapping):
        for number, sample in enumerate(samples):
            if missing := [key for key in first if key not in sample]:
                raise KeyError(
                    f"missing key {missing[0]!r} in sample {number} of the batch; it has "
                    f"{list(sample)}"
                )
        return type(first)(  # type: ignore[call-arg]
            {key: _transpose([sample[key] for sample in samples], leaf) for key in first}
        )
    if isinstance(first, Sequence) and not isinstance(first, (str, bytes)):
        if any(len(sample) != len(first) for sample in samples):
            raise ValueError(
                "sequences in a batch must have the same number of elements, not "
                f"{sorted({len(sample) for sample in samples})}"
            )
        columns = [_transpose(column, leaf) for column in zip(*samples, strict=True)]
        if isinstance(first, tuple) and hasattr(first, "_fields"):
            return type(first)(*columns)
        return type(first)(columns) if isinstance(first, tuple) else columns
    return leaf(samples)


def _stack(leaves: Sequence[DataSample]) -> DataBatch:
    first = leaves[0]
    if first is None or not (hasattr(first, "__array__") or isinstance(first, (int, float))):
        return list(leaves)
    return torch_default_collate(list(leaves))
