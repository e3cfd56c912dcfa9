"""Read the lengths of the samples of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from typing import Any, TypeAlias

import numpy as np

from eng.utils import ArgumentValueError

__all__ = ["Lengths", "read_lengths"]

#: Lengths of samples: a number for each, or the name under which the dataset has them.
Lengths: TypeAlias = "Sequence[int] | np.ndarray | str"


def read_lengths(dataset: Sized, lengths: Lengths) -> np.ndarray:
    """Read the lengths of all samples.

    Args:
        dataset: The dataset.
        lengths: A number for each sample, or a name: of an attribute of the dataset with a number
            for each sample, or of a field of each ``get_data_info(index)``, or else of each sample,
            which is the length or has one.

    Returns:
        Lengths of shape (samples,), int64.

    Raises:
        ValueError: If lengths are missing, negative, or not as many as samples.

    Examples:
        >>> read_lengths([{"text": "ab"}, {"text": "abc"}], "text").tolist()
        [2, 3]
    """
    found: Any = lengths
    if isinstance(lengths, str):
        found = getattr(dataset, lengths, None)
        if found is None or callable(found):
            found = [_read_length(dataset, index, lengths) for index in range(len(dataset))]
    numbers = np.asarray(found)
    if numbers.shape != (len(dataset),):
        raise ArgumentValueError(
            f"lengths must be one number for each of {len(dataset)} samples, but have the shape "
            f"{numbers.shape}"
        )
    if not np.issubdtype(numbers.dtype, np.number) or numbers.min() < 0:
        raise ArgumentValueError(f"lengths must be numbers of at least 0, got {numbers.tolist()}")
    return numbers.astype(np.int64)


def _read_length(dataset: Any, index: int, name: str) -> int:
    sample = dataset.get_data_info(index) if hasattr(dataset, "get_data_info") else dataset[index]
    if not isinstance(sample, Mapping) or name not in sample:
        have = sorted(map(str, sample)) if isinstance(sample, Mapping) else type(sample).__name__
        raise ArgumentValueError(
            f"lengths={name!r}: neither {type(dataset).__name__} nor sample {index} has it; the "
            f"sample has {have}"
        )
    value = sample[name]
    is_number = isinstance(value, (int, float)) or getattr(value, "ndim", None) == 0
    return int(value) if is_number else len(value)
