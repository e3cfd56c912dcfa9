"""Collate samples to nested lists, without stacking tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eng.utils import DataBatch, DataSample

__all__ = ["collate_plain"]


def collate_plain(samples: Sequence[DataSample]) -> DataBatch:
    """Collate samples like ``pseudo_collate`` of :mod:`eng.dataset`, which is not imported here.

    Args:
        samples: The samples, at least one.

    Returns:
        The structure of one sample, in which each leaf is the list of the leaves of all samples.

    Raises:
        ValueError: If corresponding sequences differ in length.
        KeyError: If a dict lacks a key of the first one.

    Examples:
        >>> collate_plain([{"i": 0}, {"i": 1}])
        {'i': [0, 1]}
    """
    first = samples[0]
    if isinstance(first, Mapping):
        batch = {key: collate_plain([sample[key] for sample in samples]) for key in first}
        return type(first)(batch)  # type: ignore[call-arg]
    if isinstance(first, Sequence) and not isinstance(first, (str, bytes)):
        columns = [collate_plain(each) for each in zip(*samples, strict=True)]
        if isinstance(first, tuple):
            return type(first)(*columns) if hasattr(first, "_fields") else type(first)(columns)
        return columns
    return list(samples)
