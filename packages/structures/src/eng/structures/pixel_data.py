"""Data of the pixels of one sample."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from torch import Tensor

from eng.utils import ArgumentIndexError, ArgumentTypeError, ArgumentValueError, override

from .data_element import BaseDataElement

__all__ = ["PixelData"]

Self = TypeVar("Self", bound="PixelData")


class PixelData(BaseDataElement):
    """Annotations or predictions of pixels, such as masks and depth.

    Every field of the data is a tensor or array of shape ``(channel, height, width)``, all of the
    same height and width. One of shape ``(height, width)`` is stored with one channel.

    Args:
        metainfo: Fields of the metainfo. Defaults to None, none.
        **kwargs: Fields of the data.

    Raises:
        ValueError: If a field is no tensor or array, has other dimensions, or another height
            and width than the others have.

    Examples:
        >>> import torch
        >>> pixels = PixelData(image=torch.rand(3, 20, 40), mask=np.zeros((20, 40)))
        >>> pixels.shape, pixels.mask.shape, pixels[10:20, 20].shape
        ((20, 40), (1, 20, 40), (10, 1))
    """

    @override
    def _checked(self, name: str, value: Any) -> Any:
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
                    f"{where} has height and width {tuple(value.shape[-2:])} "
                    f"({type(value).__name__} of {value.dtype}), but {other.lstrip('_')!r} has "
                    f"{expected}"
                )
        return value[None] if value.ndim == 2 else value

    @property
    def shape(self) -> tuple[int, int] | None:
        """Height and width, None without any field."""
        for value in self.values():
            height, width = value.shape[-2:]
            return int(height), int(width)
        return None

    def __getitem__(self: Self, item: tuple[int | slice, int | slice]) -> Self:
        """Cut out a part of the pixels.

        Args:
            item: Rows and columns, each a number or a slice. A number keeps its dimension.

        Returns:
            An element with the part of every field.

        Raises:
            TypeError: If it is not two numbers or slices.
            IndexError: If a row or column is out of range.
        """
        if not isinstance(item, tuple) or len(item) != 2:
            raise ArgumentTypeError(
                f"{type(self).__name__} is indexed by rows and columns, such as [10:20, 5], not by "
                f"{item!r}"
            )
        element = self.__class__(metainfo=self.metainfo)
        if self.shape is None:
            return element
        window = (slice(None), *map(self._as_slice, item, self.shape, ("row", "column")))
        element.set_data({name: value[window] for name, value in self.items()})
        return element

    def _as_slice(self, index: Any, length: int, what: str) -> slice:
        if isinstance(index, slice):
            return index
        if not isinstance(index, (int, np.integer)) or isinstance(index, bool):
            raise ArgumentTypeError(
                f"{type(self).__name__} is indexed by a number or a slice of {what}s, not by "
                f"{type(index).__name__}"
            )
        if not -length <= index < length:
            raise ArgumentIndexError(
                f"{what} {index} is out of range: {type(self).__name__} has {length} {what}s"
            )
        first = int(index) % length
        return slice(first, first + 1)
