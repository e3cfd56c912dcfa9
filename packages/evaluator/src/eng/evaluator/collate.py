"""Batches of samples, with nothing stacked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["collate_plain"]


def collate_plain(samples: Sequence[Any]) -> Any:
    """Make a batch as ``pseudo_collate`` of :mod:`eng.dataset` does, on whose floor this stands.

    Args:
        samples: The samples, at least one.

    Returns:
        The form of one sample, whose leaves are lists of those of all samples.

    Raises:
        ValueError: If sequences at the same place differ in length.
        KeyError: If a dict lacks a key of the first one.

    Examples:
        >>> collate_plain([{"i": 0}, {"i": 1}])
        {'i': [0, 1]}
    """
    first = samples[0]
    if isinstance(first, Mapping):
        columns = {key: collate_plain([sample[key] for sample in samples]) for key in first}
        return type(first)(columns)  # type: ignore[call-arg]
    if isinstance(first, Sequence) and not isinstance(first, (str, bytes)):
        places = [collate_plain(each) for each in zip(*samples, strict=True)]
        if isinstance(first, tuple):
            return type(first)(*places) if hasattr(first, "_fields") else type(first)(places)
        return places
    return list(samples)
