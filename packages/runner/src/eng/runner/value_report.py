"""Describe the values of samples and batches: shapes, dtypes, and what is not finite."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from eng.utils import override

__all__ = ["NonFinite", "describe_values", "find_non_finite"]

_DEEPEST = 8


@dataclass(frozen=True)
class NonFinite:
    """Values of a sample that are not finite.

    Attributes:
        name: Their place in the sample, such as ``inputs`` or ``boxes[0]``.
        nan: Number of values that are NaN.
        infinite: Number of values that are infinite.
        total: Number of values.
    """

    name: str
    nan: int
    infinite: int
    total: int

    @override
    def __str__(self) -> str:
        counts = [f"{self.nan} NaN"] if self.nan else []
        counts += [f"{self.infinite} infinite"] if self.infinite else []
        return f"{self.name}: {' and '.join(counts)} of {self.total} values"


def find_non_finite(sample: object) -> list[NonFinite]:
    """Find the values of a sample that are NaN or infinite.

    Args:
        sample: Tensors, arrays and numbers, in mappings, sequences, data elements and dataclasses.

    Returns:
        Those that are not finite, one entry for a tensor, an array or a number.
    """
    found = []
    for name, value in _walk(sample, ""):
        values = _to_tensor(value)
        if values is None:
            continue
        nan, infinite = int(values.isnan().sum()), int(values.isinf().sum())
        if nan or infinite:
            found.append(NonFinite(name or "the sample", nan, infinite, values.numel()))
    return found


def describe_values(batch: object) -> list[str]:
    """Describe the dtypes and shapes of a batch.

    Args:
        batch: The batch, as :func:`find_non_finite` takes a sample.

    Returns:
        A line for each of its values; of a list of such with one description, one line.
    """
    if isinstance(batch, Mapping):
        return [f"{key}: {_describe(value)}" for key, value in batch.items()]
    if isinstance(batch, (list, tuple)) and len(batch) <= _DEEPEST:
        return [f"[{number}]: {_describe(value)}" for number, value in enumerate(batch)]
    return [_describe(batch)]


def _describe(value: object) -> str:
    if isinstance(value, (Tensor, np.ndarray)):
        dtype = str(value.dtype).removeprefix("torch.")
        return f"{dtype} {list(value.shape)}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(describe_values(value)) + "}"
    if isinstance(value, (list, tuple)):
        kinds = list(dict.fromkeys(_describe(each) for each in value))
        shown = " or ".join(kinds[:3]) + (" or others" if len(kinds) > 3 else "")
        return f"{type(value).__name__} of {len(value)}{' ' if shown else ''}{shown}"
    inner = _fields_of(value)
    if inner:
        return f"{type(value).__name__} {_describe(inner)}"
    return type(value).__name__


def _walk(value: object, name: str, depth: int = 0) -> Iterator[tuple[str, object]]:
    """Yield the tensors, arrays and numbers of a sample, each with its place."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        inner: Any = ((f"{name}.{key}" if name else str(key), each) for key, each in value.items())
    elif isinstance(value, (list, tuple)):
        inner = ((f"{name}[{number}]", each) for number, each in enumerate(value))
    elif isinstance(value, (Tensor, np.ndarray, np.generic, float, complex)):
        yield name, value
        return
    else:
        yield from _walk(_fields_of(value), name, depth + 1)
        return
    for place, each in inner:
        yield from _walk(each, place, depth + 1)


def _fields_of(value: Any) -> dict[str, object]:
    """The fields of a data element or a dataclass, or the tensor that an object wraps."""
    if callable(getattr(value, "all_items", None)) and not isinstance(value, type):
        return dict(value.all_items())
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    wrapped = getattr(value, "tensor", None)
    return {"tensor": wrapped} if isinstance(wrapped, Tensor) else {}


def _to_tensor(value: Any) -> Tensor | None:
    """The values as a tensor in which NaN can be counted; None of integers and the like."""
    if isinstance(value, (float, complex)):
        is_finite = math.isfinite(abs(value))
        return None if is_finite else torch.tensor([value])
    if isinstance(value, (np.ndarray, np.generic)):
        if not np.issubdtype(value.dtype, np.inexact):
            return None
        kind = np.complex128 if np.iscomplexobj(value) else np.float64
        return torch.from_numpy(np.atleast_1d(value).astype(kind))
    if not (value.is_floating_point() or value.is_complex()):
        return None
    values = value.detach()
    if values.layout != torch.strided:
        values = values.to_dense()
    # Types of a byte do not know NaN everywhere.
    return values.float() if values.element_size() == 1 else values
