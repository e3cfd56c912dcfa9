"""Data of the instances of one sample."""

from __future__ import annotations

import copy
from collections.abc import Sequence, Sized
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from eng.utils import ArgumentIndexError, ArgumentTypeError, ArgumentValueError, override

from .data_element import BaseDataElement

__all__ = ["InstanceData"]

Self = TypeVar("Self", bound="InstanceData")
Index = str | int | slice | list | np.ndarray | Tensor


class InstanceData(BaseDataElement):
    """Annotations or predictions of instances, such as the objects in an image.

    Every field of the data has one entry an instance, so that all have the same length. A field
    is a tensor, an array, a list, a tuple, a string, or anything else that has a length and can be
    sliced; one of the last kind needs a method ``cat``, which makes one out of a list of its kind,
    to be indexed by more than a slice.

    Args:
        metainfo: Fields of the metainfo. Defaults to None, none.
        **kwargs: Fields of the data.

    Raises:
        ValueError: If a field has another length than the others have.
        TypeError: If a field has no length.

    Examples:
        >>> instances = InstanceData(labels=torch.tensor([2, 3]), names=['cat', 'dog'])
        >>> instances[instances.labels > 2].names
        ['dog']
        >>> len(InstanceData.cat([instances, instances]))
        4
    """

    @override
    def _checked(self, name: str, value: Any) -> Any:
        try:
            length = len(value)
        except TypeError:
            raise ArgumentTypeError(
                f"{name.lstrip('_')!r} of {type(self).__name__} must have one entry an instance, "
                f"but {_described(value)} has no length"
            ) from None
        for other, present in self._stored():
            if other != name and len(present) != length:
                raise ArgumentValueError(
                    f"{name.lstrip('_')!r} of {type(self).__name__} has {length} entries "
                    f"({_described(value)}), but {other.lstrip('_')!r} has {len(present)}"
                )
        return value

    def __len__(self) -> int:
        stored = self._stored()
        return len(stored[0][1]) if stored else 0

    def __setitem__(self, name: str, value: Sized) -> None:
        setattr(self, name, value)

    def __getitem__(self: Self, item: Index) -> Any:
        """A field by its name, or the instances that an index chooses.

        Args:
            item: A name; or the number of an instance, a slice, or a list, array or tensor of one
                dimension that holds numbers or a bool for each instance.

        Returns:
            The value of the field, or an element with the chosen instances; also a single one
            keeps the dimension of the instances.

        Raises:
            IndexError: If there is no such instance, or the index does not fit.
            TypeError: If it is nothing of these.
            ValueError: If a field cannot be indexed so.
        """
        if isinstance(item, str):
            return getattr(self, item)
        if isinstance(item, (int, np.integer)) and not isinstance(item, bool):
            item = self._slice_of_one(int(item))
        if isinstance(item, slice) and (item.step is None or item.step > 0):
            return self._with({name: value[item] for name, value in self._stored()})
        chosen = self._numbers(item)
        indices: dict[torch.device, Tensor] = {chosen.device: chosen}
        numbers: list[int] | None = None
        data: dict[str, Any] = {}
        for name, value in self._stored():
            if isinstance(value, Tensor):
                if value.device not in indices:
                    indices[value.device] = chosen.to(value.device)
                data[name] = value[indices[value.device]]
            elif isinstance(value, np.ndarray):
                data[name] = value[chosen.cpu().numpy()]
            else:
                numbers = chosen.tolist() if numbers is None else numbers
                data[name] = _pick(name, value, numbers)
        return self._with(data)

    def _slice_of_one(self, number: int) -> slice:
        length = len(self)
        if not -length <= number < length:
            raise ArgumentIndexError(
                f"instance {number} is out of range: {type(self).__name__} has {length}"
            )
        number %= length
        return slice(number, number + 1)

    def _numbers(self, item: Any) -> Tensor:
        """The numbers of the instances that an index chooses, all in ``[0, length)``."""
        length = len(self)
        if isinstance(item, slice):  # backwards, which tensors do not know
            return torch.arange(length)[list(range(*item.indices(length)))]
        if isinstance(item, (list, range)):
            item = np.array(item) if len(item) else np.zeros(0, np.int64)
        if isinstance(item, np.ndarray):
            item = torch.from_numpy(np.ascontiguousarray(item))
        if not isinstance(item, Tensor):
            raise ArgumentTypeError(
                f"{type(self).__name__} is indexed by the name of a field, a number, a slice, or a "
                f"list, array or tensor of numbers or bools, not by {type(item).__name__}"
            )
        if item.dim() != 1 or item.dtype.is_floating_point or item.dtype.is_complex:
            raise ArgumentIndexError(
                f"{type(self).__name__} is indexed along its instances by one dimension of whole "
                f"numbers or bools, not by {_described(item)}"
            )
        if item.dtype is torch.bool:
            if len(item) != length:
                raise ArgumentIndexError(
                    f"an index of {len(item)} bools does not fit {type(self).__name__} of "
                    f"{length} instances"
                )
            return item.nonzero().squeeze(1)
        item = item.long()
        if item.device.type == "cpu" and len(item):
            low, high = (int(bound) for bound in torch.aminmax(item))
            if low < -length or high >= length:
                raise ArgumentIndexError(
                    f"instance {low if low < -length else high} is out of range: "
                    f"{type(self).__name__} has {length}"
                )
            return item if low >= 0 else torch.where(item < 0, item + length, item)
        # Elsewhere the device checks the range: to look would be to wait for it.
        return torch.where(item < 0, item + length, item)

    def _stored(self) -> list[tuple[str, Any]]:
        """The fields of the data where they are stored: that of a property as ``_name``."""
        state = self.__dict__
        return [(name, state[name]) for name in self._data_fields if name in state]

    def _with(self: Self, stored: dict[str, Any]) -> Self:
        """A copy with other values, all of one length, in the fields of the data."""
        element = copy.copy(self)
        element.__dict__.update(stored)
        for name in self._metainfo_fields:
            if name in self.__dict__:
                element.__dict__[name] = copy.deepcopy(self.__dict__[name])
        return element

    @staticmethod
    def cat(instances_list: Sequence[InstanceData]) -> InstanceData:
        """Put the instances of several elements into one.

        Args:
            instances_list: The elements, all with the same fields.

        Returns:
            An element of the type and with the metainfo of the first one; with one element in the
            list, that element itself.

        Raises:
            ValueError: If there are none, they have different fields, or the type of one has no
                ``cat``.
            TypeError: If something is no :class:`InstanceData`.
        """
        if not instances_list:
            raise ArgumentValueError("cat needs at least one InstanceData")
        for number, each in enumerate(instances_list):
            if not isinstance(each, InstanceData):
                raise ArgumentTypeError(
                    f"entry {number} is no InstanceData but {type(each).__name__}"
                )
        first = instances_list[0]
        if len(instances_list) == 1:
            return first
        for number, each in enumerate(instances_list):
            if set(each.all_keys()) != set(first.all_keys()):
                raise ArgumentValueError(
                    f"all elements must have the same fields: entry 0 has {first.all_keys()}, "
                    f"entry {number} has {each.all_keys()}"
                )
        return first._with(
            {
                name: _joined(name, [each.__dict__[name] for each in instances_list])
                for name, _ in first._stored()
            }
        )


def _pick(name: str, value: Any, numbers: list[int]) -> Any:
    """The entries of a value that is no tensor and no array."""
    if isinstance(value, str):
        return "".join(value[number] for number in numbers)
    if isinstance(value, (list, tuple)):
        return type(value)(value[number] for number in numbers)
    if not hasattr(value, "cat"):
        raise ArgumentValueError(
            f"{name!r} is a {type(value).__name__}, which has no cat: it can only be sliced"
        )
    if not numbers:
        return value[:0]
    picked = value.cat([value[number : number + 1] for number in numbers])
    if len(picked) != len(numbers):
        raise ArgumentValueError(
            f"{name!r}: cat of {len(numbers)} parts of a {type(value).__name__}, each of length 1, "
            f"gave one of length {len(picked)}"
        )
    return picked


def _joined(name: str, values: list[Any]) -> Any:
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
    raise ArgumentValueError(f"{name!r} is a {type(first).__name__}, which has no cat")


def _described(value: Any) -> str:
    shape = getattr(value, "shape", None)
    name = type(value).__name__
    return name if shape is None else f"{name} of shape {tuple(shape)} and type {value.dtype}"
