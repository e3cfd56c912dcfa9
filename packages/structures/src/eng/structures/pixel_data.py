"""Pixel-level annotations and predictions of a sample."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from torch import Tensor

from eng.utils import ArgumentIndexError, ArgumentTypeError, ArgumentValueError, override

from .data_element import BaseDataElement
from .types import FieldValue

__all__ = ["PixelData"]

Self = TypeVar("Self", bound="PixelData")


class PixelData(BaseDataElement):
    """Pixel-level annotations or predictions, such as masks and depth.

    Every data field is a tensor or array of shape ``(channel, height, width)``, all with the same
    height and width. A field of shape ``(height, width)`` is stored with one channel.

    Args:
        metainfo: Metainfo by name. Defaults to None, empty.
        **kwargs: Data fields by name.

    Raises:
        TypeError: If a field is not a tensor or array.
        ValueError: If a field has another number of dimensions, or another height and width than
            the other fields.

    Examples:
        >>> import torch
        >>> pixels = PixelData(image=torch.rand(3, 20, 40), mask=np.zeros((20, 40)))
        >>> pixels.shape, pixels.mask.shape, pixels[10:20, 20].shape
        ((20, 40), (1, 20, 40), (10, 1))
    """

    @override
    def _check_value(self, name: str, value: FieldValue) -> FieldValue:
        where = f"{name.lstrip('_')!r} of {type(self).__name__}"
        if not isinstance(value, (Tensor, np.ndarray)):
            raise ArgumentTypeError(f"{where} must be a tensor or an array, not {type(value)}")
        if value.ndim not in (2, 3):
            raise ArgumentValueError(
                f"{where} must have the shape (channel, height, width) or (height, width), not "
                f"{tuple(value.shape)} ({type(value).__name__} of {value.dtype})"
            )
        for other in self._data_fields:
            if other == name or other not in self.__dict__:  # a property is stored as _name
                continue
            expected = tuple(self.__dict__[other].shape[-2:])
            if tuple(value.shape[-2:]) != expected:
                raise ArgumentValueError(
                    f"shape mismatch: {where} has height and width {tuple(value.shape[-2:])} "
                    f"({type(value).__name__} of {value.dtype}), but {other.lstrip('_')!r} has "
                    f"{expected}"
                )
        return value[None] if value.ndim == 2 else value

    @property
    def shape(self) -> tuple[int, int] | None:
        """Height and width, None without data fields."""
        for value in self.values():
            height, width = value.shape[-2:]
            return int(height), int(width)
        return None

    def __getitem__(self: Self, item: tuple[int | slice, int | slice]) -> Self:
        """Crop every field.

        Args:
            item: Rows and columns, each an integer or a slice. An integer keeps its dimension.

        Returns:
            An element with the cropped fields.

        Raises:
            TypeError: If ``item`` is not two integers or slices.
            IndexError: If a row or column is out of range.
        """
        if not isinstance(item, tuple) or len(item) != 2:
            raise ArgumentTypeError(
                f"invalid index {item!r} of {type(self).__name__}: expected rows and columns, such "
                "as [10:20, 5]"
            )
        element = self.__class__(metainfo=self.metainfo)
        if self.shape is None:
            return element
        window = (slice(None), *map(self._as_slice, item, self.shape, ("row", "column")))
        element.set_data({name: value[window] for name, value in self.items()})
        return element

    def _as_slice(self, index: object, length: int, axis: str) -> slice:
        if isinstance(index, slice):
            return index
        if not isinstance(index, (int, np.integer)) or isinstance(index, bool):
            raise ArgumentTypeError(
                f"invalid {axis} index of {type(self).__name__}: expected an integer or a slice, "
                f"not {type(index).__name__}"
            )
        if not -length <= index < length:
            raise ArgumentIndexError(
                f"{axis} index {index} is out of bounds for {type(self).__name__} with {length} "
                f"{axis}s"
            )
        first = int(index) % length
        return slice(first, first + 1)
