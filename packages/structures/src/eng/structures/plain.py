"""Convert data elements and tensors to plain data, such as for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias, Union

import numpy as np
import torch
from torch import Tensor

from .data_element import BaseDataElement

__all__ = ["PlainData", "to_plain"]

#: What JSON can hold.
PlainData: TypeAlias = Union[bool, int, float, str, "list[PlainData]", "dict[str, PlainData]", None]


def to_plain(value: object) -> PlainData:
    """Convert a value to what JSON can hold.

    Args:
        value: Data elements, tensors, arrays, numbers, texts and paths, in any nesting of dicts and
            sequences.

    Returns:
        Dicts, lists, numbers, texts and None. NaN and infinite numbers, which JSON does not have,
        are the texts ``'nan'``, ``'inf'`` and ``'-inf'``; values of other types are texts.

    Examples:
        >>> to_plain({"scores": torch.tensor([0.5, 1.0]), "size": (4, np.int64(3))})
        {'scores': [0.5, 1.0], 'size': [4, 3]}
    """
    if isinstance(value, BaseDataElement):
        value = value.to_dict()
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = (value.float() if value.dtype is torch.bfloat16 else value).numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_plain(each) for each in value]
    return str(value)
