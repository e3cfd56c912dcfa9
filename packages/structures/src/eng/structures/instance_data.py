"""Instance-level annotations and predictions of a sample."""

from __future__ import annotations

import copy
from collections.abc import Sequence, Sized
from typing import TypeVar, overload

import numpy as np
import torch
from torch import Tensor

from eng.utils import ArgumentIndexError, ArgumentTypeError, ArgumentValueError, override

from .data_element import BaseDataElement
from .types import FieldValue

__all__ = ["InstanceData"]

Self = TypeVar("Self", bound="InstanceData")
Index = str | int | slice | list | np.ndarray | Tensor


class InstanceData(BaseDataElement):
    """Instance-level annotations or predictions, such as the objects in an image.

    Every data field has one entry per instance, so all have the same length. A field is a tensor,
    an array, a list, a tuple, a string, or any other object with a length that can be sliced; the
    type of such an object needs a method ``cat``, which concatenates a list of objects, for
    indices other than a slice.

    Args:
        metainfo: Metainfo by name. Defaults to None, empty.
        **kwargs: Data fields by name.

    Raises:
        ValueError: If the length of a field differs from that of the others.
        TypeError: If a field has no length.

    Examples:
        >>> instances = InstanceData(labels=torch.tensor([2, 3]), names=['cat', 'dog'])
        >>> instances[instances.labels > 2].names
        ['dog']
        >>> len(InstanceData.cat([instances, instances]))
        4
    """

    @override
    def _check_value(self, name: str, value: FieldValue) -> FieldValue:
        try:
            length = len(value)
        except TypeError:
            raise ArgumentTypeError(
                f"{name.lstrip('_')!r} of {type(self).__name__} must have one entry per instance, "
                f"but {_describe(value)} has no length"
            ) from None
        for other, present in self._list_stored():
            if other != name and len(present) != length:
                raise ArgumentValueError(
                    f"length mismatch: {name.lstrip('_')!r} of {type(self).__name__} has {length} "
                    f"entries ({_describe(value)}), but {other.lstrip('_')!r} has {len(present)}"
                )
        return value

    def __len__(self) -> int:
        stored = self._list_stored()
        return len(stored[0][1]) if stored else 0

    def __setitem__(self, name: str, value: Sized) -> None:
        setattr(self, name, value)

    @overload
    def __getitem__(self: Self, item: str) -> FieldValue: ...

    @overload
    def __getitem__(self: Self, item: int | slice | list | np.ndarray | Tensor) -> Self: ...

    def __getitem__(self: Self, item: Index) -> FieldValue:
        """Return a field by name, or the selected instances.

        Args:
            item: A field name; or an integer, a slice, or a 1-D list, array or tensor of integers
                or of one bool per instance.

        Returns:
            The value of the field, or an element with the selected instances. A single instance
            keeps its dimension.

        Raises:
            IndexError: If an index is out of bounds, or of another length, dtype or dimension.
            TypeError: If ``item`` has another type.
            ValueError: If a field does not support the index.
        """
        if isinstance(item, str):
            return getattr(self, item)
        if isinstance(item, (int, np.integer)) and not isinstance(item, bool):
            item = self._as_slice(int(item))
        if isinstance(item, slice) and (item.step is None or item.step > 0):
            return self._replace_stored({name: value[item] for name, value in self._list_stored()})
        chosen = self._resolve_index(item)
        indices: dict[torch.device, Tensor] = {chosen.device: chosen}
        numbers: list[int] | None = None
        data: dict[str, FieldValue] = {}
        for name, value in self._list_stored():
            if isinstance(value, Tensor):
                if value.device not in indices:
                    indices[value.device] = chosen.to(value.device)
                data[name] = value[indices[value.device]]
            elif isinstance(value, np.ndarray):
                data[name] = value[chosen.cpu().numpy()]
            else:
                numbers = chosen.tolist() if numbers is None else numbers
                data[name] = _pick(name, value, numbers)
        return self._replace_stored(data)

    def _as_slice(self, number: int) -> slice:
        length = len(self)
        if not -length <= number < length:
            raise ArgumentIndexError(
                f"index {number} is out of bounds for {type(self).__name__} with {length} instances"
            )
        number %= length
        return slice(number, number + 1)

    def _resolve_index(self, item: object) -> Tensor:
        """Convert an index to non-negative positions."""
        length = len(self)
        if isinstance(item, slice):  # a negative step, which tensors do not support
            return torch.arange(length)[list(range(*item.indices(length)))]
        if isinstance(item, (list, range)):
            item = np.array(item) if len(item) else np.zeros(0, np.int64)
        if isinstance(item, np.ndarray):
            item = torch.from_numpy(np.ascontiguousarray(item))
        if not isinstance(item, Tensor):
            raise ArgumentTypeError(
                f"invalid index of {type(self).__name__}: expected a field name, an integer, a "
                f"slice, or a list, array or tensor of integers or bools, not {type(item).__name__}"
            )
        if item.dim() != 1 or item.dtype.is_floating_point or item.dtype.is_complex:
            raise ArgumentIndexError(
                f"invalid index of {type(self).__name__}: expected one dimension of integers or "
                f"bools, not {_describe(item)}"
            )
        if item.dtype is torch.bool:
            if len(item) != length:
                raise ArgumentIndexError(
                    f"index length mismatch: {len(item)} bools for {type(self).__name__} with "
                    f"{length} instances"
                )
            return item.nonzero().squeeze(1)
        item = item.long()
        if item.device.type == "cpu" and len(item):
            low, high = (int(bound) for bound in torch.aminmax(item))
            if low < -length or high >= length:
                raise ArgumentIndexError(
                    f"index {low if low < -length else high} is out of bounds for "
                    f"{type(self).__name__} with {length} instances"
                )
            return item if low >= 0 else torch.where(item < 0, item + length, item)
        # Not checked on accelerators: reading the bounds would synchronize with the device.
        return torch.where(item < 0, item + length, item)

    def _list_stored(self) -> list[tuple[str, FieldValue]]:
        """List the data fields as stored: the field of a property ``name`` is ``_name``."""
        state = self.__dict__
        return [(name, state[name]) for name in self._data_fields if name in state]

    def _replace_stored(self: Self, stored: dict[str, FieldValue]) -> Self:
        """Return a copy with other values, all of one length, in the data fields."""
        element = copy.copy(self)
        element.__dict__.update(stored)
        for name in self._metainfo_fields:
            if name in self.__dict__:
                element.__dict__[name] = copy.deepcopy(self.__dict__[name])
        return element

    @staticmethod
    def cat(instances_list: Sequence[Self]) -> Self:
        """Concatenate the instances of several elements.

        Args:
            instances_list: The elements, all with the same fields.

        Returns:
            An element with the type and metainfo of the first one; the first element itself if it
            is the only one.

        Raises:
            ValueError: If the list is empty, the fields differ, or the type of a field has no
                ``cat``.
            TypeError: If an entry is not an :class:`InstanceData`.
        """
        if not instances_list:
            raise ArgumentValueError("cat requires at least one InstanceData")
        for number, each in enumerate(instances_list):
            if not isinstance(each, InstanceData):
                raise ArgumentTypeError(
                    f"entry {number} must be an InstanceData, not {type(each).__name__}"
                )
        first = instances_list[0]
        if len(instances_list) == 1:
            return first
        for number, each in enumerate(instances_list):
            if set(each.all_keys()) != set(first.all_keys()):
                raise ArgumentValueError(
                    f"field mismatch: entry 0 has {first.all_keys()}, "
                    f"entry {number} has {each.all_keys()}"
                )
        return first._replace_stored(
            {
                name: _concatenate(name, [each.__dict__[name] for each in instances_list])
                for name, _ in first._list_stored()
            }
        )


def _pick(name: str, value: FieldValue, numbers: list[int]) -> FieldValue:
    """Select entries of a value that is neither a tensor nor an array."""
    if isinstance(value, str):
        return "".join(value[number] for number in numbers)
    if isinstance(value, (list, tuple)):
        return type(value)(value[number] for number in numbers)
    if not hasattr(value, "cat"):
        raise ArgumentValueError(
            f"{name!r} is a {type(value).__name__} without a method cat: it supports only slices"
        )
    if not numbers:
        return value[:0]
    picked = value.cat([value[number : number + 1] for number in numbers])
    if len(picked) != len(numbers):
        raise ArgumentValueError(
            f"length mismatch: cat of {len(numbers)} parts of {name!r} ({type(value).__name__}), "
            f"each of length 1, returned length {len(picked)}"
        )
    return picked


def _concatenate(name: str, values: list[FieldValue]) -> FieldValue:
    first = values[0]
    if isinstance(first, Tensor):
        return torch.cat(values)
    if isinstance(first, np.ndarray):
        return np.concatenate(values)
    if isinstance(first, str):
        return "".join(values)
    if isinstance(first, (list, tuple)):
        return type(first)(entry for value in values for entry in value)
    if hasattr(first, "cat"):
        return first.cat(values)
    raise ArgumentValueError(f"{name!r} is a {type(first).__name__} without a method cat")


def _describe(value: FieldValue) -> str:
    shape = getattr(value, "shape", None)
    name = type(value).__name__
    return name if shape is None else f"{name} of shape {tuple(shape)} and dtype {value.dtype}"
