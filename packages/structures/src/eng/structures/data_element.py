"""The interface that annotations and predictions share."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from eng.utils import ArgumentTypeError, ArgumentValueError, override

__all__ = ["BaseDataElement"]

Self = TypeVar("Self", bound="BaseDataElement")
_OWN = ("_metainfo_fields", "_data_fields")


class BaseDataElement:
    """Annotations or predictions, with what is known of their image kept apart.

    Fields are attributes. Those of ``metainfo`` describe the sample, such as its shape or file;
    those of the data are what it is about: tensors, arrays, or further elements. Methods named like
    those of tensors act on every tensor of the data, in nested elements too; lists and dicts in
    the data are left as they are.

    Two elements are equal if their types, their metainfo and their data are; as with tensors, a
    NaN equals nothing. The hash is that of the object, again as with tensors, since fields change.

    Args:
        metainfo: Fields of the metainfo. Defaults to None, none.
        **kwargs: Fields of the data.

    Raises:
        AttributeError: If a field has the name of a method, or is metainfo and data at once.

    Examples:
        >>> element = BaseDataElement(metainfo=dict(img_shape=(4, 4)), scores=torch.rand(3))
        >>> element.img_shape, 'scores' in element, list(element.keys())
        ((4, 4), True, ['scores'])
    """

    # Dicts, as sets that keep their order.
    _metainfo_fields: dict[str, None]
    _data_fields: dict[str, None]

    def __init__(self, *, metainfo: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        self._metainfo_fields = {}
        self._data_fields = {}
        if metainfo is not None:
            self.set_metainfo(metainfo)
        if kwargs:
            self.set_data(kwargs)

    # ------------------------------------------------------------------ fields

    def set_metainfo(self, metainfo: Mapping[str, Any]) -> None:
        """Set fields of the metainfo to copies of values.

        Args:
            metainfo: Values by name.

        Raises:
            TypeError: If it is no mapping.
            AttributeError: If a name is a field of the data. Nothing is set then.
        """
        _need_mapping("metainfo", metainfo)
        with self._all_or_nothing():
            for name, value in copy.deepcopy(dict(metainfo)).items():
                self.set_field(value, name, field_type="metainfo")

    def set_data(self, data: Mapping[str, Any]) -> None:
        """Set fields of the data.

        Args:
            data: Values by name.

        Raises:
            TypeError: If it is no mapping.
            AttributeError: If a name is a field of the metainfo. Nothing is set then.
        """
        _need_mapping("data", data)
        with self._all_or_nothing():
            for name, value in data.items():
                if name in self._metainfo_fields:
                    raise _taken(name, "metainfo")
                setattr(self, name, value)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Around the setting of several fields: if one cannot be set, none is."""
        state, fields = self.__dict__, (self._metainfo_fields, self._data_fields)
        before = state.copy()
        kept = [field.copy() for field in fields]
        try:
            yield
        except BaseException:
            state.clear()
            state.update(before)
            for field, names in zip(fields, kept, strict=True):
                field.clear()
                field.update(names)
            raise

    def set_field(
        self,
        value: Any,
        name: str,
        dtype: type | tuple[type, ...] | None = None,
        field_type: str = "data",
    ) -> None:
        """Set one field; what the setter of a property calls.

        Args:
            value: The value.
            name: The name, ``_name`` in the setter of a property ``name``.
            dtype: What the value must be an instance of. Defaults to None, anything.
            field_type: ``'data'`` (default) or ``'metainfo'``.

        Raises:
            TypeError: If the value is no instance of ``dtype``.
            ValueError: If ``field_type`` is neither.
            AttributeError: If the name is a field of the other kind or that of a method.
        """
        if dtype is not None and not isinstance(value, dtype):
            raise ArgumentTypeError(
                f"{name.lstrip('_')!r} of {type(self).__name__} must be {dtype}, not {type(value)}"
            )
        if field_type not in ("data", "metainfo"):
            raise ArgumentValueError(
                f"field_type should be one of 'data' or 'metainfo', not {field_type!r}"
            )
        fields, others = self._data_fields, self._metainfo_fields
        if field_type == "metainfo":
            fields, others = others, fields
        if name in others:
            raise _taken(name, "metainfo" if field_type == "data" else "data")
        on_class = getattr(type(self), name, None)
        if isinstance(on_class, property):
            super().__setattr__(name, value)
            # The setter knows which kind its field is of.
            is_metainfo = f"_{name}" in self._metainfo_fields
            (self._metainfo_fields if is_metainfo else self._data_fields)[name] = None
            return
        if callable(on_class):
            raise AttributeError(f"{name!r} is a method of {type(self).__name__}: no field")
        super().__setattr__(name, self._checked(name, value) if field_type == "data" else value)
        fields[name] = None

    def _checked(self, name: str, value: Any) -> Any:
        """What is stored for a value of the data; subclasses refuse or reshape it here."""
        return value

    if TYPE_CHECKING:
        # Fields are attributes of any name and type.
        def __getattr__(self, name: str) -> Any: ...

    @override
    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN:
            if name in self.__dict__:
                raise AttributeError(f"{name} is used by {type(self).__name__} itself")
            super().__setattr__(name, value)
        else:
            kind = "metainfo" if name in self._metainfo_fields else "data"
            self.set_field(value, name, field_type=kind)

    @override
    def __delattr__(self, name: str) -> None:
        if name in _OWN:
            raise AttributeError(f"{name} is used by {type(self).__name__} itself")
        super().__delattr__(name)
        self._metainfo_fields.pop(name, None)
        self._data_fields.pop(name, None)

    def __contains__(self, name: str) -> bool:
        return name in self._data_fields or name in self._metainfo_fields

    def get(self, key: str, default: Any = None) -> Any:
        """A field, or a default.

        Args:
            key: Its name.
            default: What is returned if there is none. Defaults to None.

        Returns:
            The value.
        """
        return getattr(self, key) if key in self else default

    def pop(self, *args: Any) -> Any:
        """Take a field out.

        Args:
            *args: Its name, and what is returned if there is none.

        Returns:
            The value.

        Raises:
            KeyError: If there is none and no default is given.
            TypeError: If there are more arguments, or none.
        """
        if len(args) not in (1, 2):
            raise TypeError(f"pop takes a name and perhaps a default, not {len(args)} arguments")
        name, *default = args
        if name in self:
            value = getattr(self, name)
            delattr(self, name)
            return value
        if default:
            return default[0]
        raise KeyError(f"{name!r} is no field; there are {self.all_keys()}")

    @property
    def metainfo(self) -> dict[str, Any]:
        """The metainfo, by name."""
        return dict(self.metainfo_items())

    def keys(self) -> list[str]:
        """Names of the data. A property counts once, under its own name."""
        return self._public(self._data_fields)

    def values(self) -> list[Any]:
        """Values of the data."""
        return [getattr(self, name) for name in self.keys()]

    def items(self) -> Iterator[tuple[str, Any]]:
        """Names and values of the data."""
        return ((name, getattr(self, name)) for name in self.keys())

    def metainfo_keys(self) -> list[str]:
        """Names of the metainfo."""
        return self._public(self._metainfo_fields)

    def metainfo_values(self) -> list[Any]:
        """Values of the metainfo."""
        return [getattr(self, name) for name in self.metainfo_keys()]

    def metainfo_items(self) -> Iterator[tuple[str, Any]]:
        """Names and values of the metainfo."""
        return ((name, getattr(self, name)) for name in self.metainfo_keys())

    def all_keys(self) -> list[str]:
        """Names of metainfo and data."""
        return [*self.metainfo_keys(), *self.keys()]

    def all_values(self) -> list[Any]:
        """Values of metainfo and data."""
        return [*self.metainfo_values(), *self.values()]

    def all_items(self) -> Iterator[tuple[str, Any]]:
        """Names and values of metainfo and data."""
        yield from self.metainfo_items()
        yield from self.items()

    def _public(self, fields: Iterable[str]) -> list[str]:
        """Names without those that only hold the value of a property."""
        hidden = {
            f"_{name}" for name in fields if isinstance(getattr(type(self), name, None), property)
        }
        return [name for name in fields if name not in hidden]

    @override
    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return _equal(self.metainfo, other.metainfo) and _equal(
            dict(self.items()), dict(other.items())
        )

    __hash__ = object.__hash__

    # ------------------------------------------------------------------ elements out of this one

    def new(self: Self, *, metainfo: Mapping[str, Any] | None = None, **kwargs: Any) -> Self:
        """A new element of this type.

        Args:
            metainfo: Its metainfo. Defaults to None, that of this element.
            **kwargs: Its data; without any, that of this element.

        Returns:
            The element.
        """
        element = self.__class__()
        element.set_metainfo(self.metainfo if metainfo is None else metainfo)
        element.set_data(kwargs or dict(self.items()))
        return element

    def clone(self: Self) -> Self:
        """A deep copy. Tensors inside a graph are copied within it, as by their own ``clone``."""
        return self._converted(_copied)

    def __copy__(self: Self) -> Self:
        element = self.__class__.__new__(self.__class__)
        element.__dict__.update(self.__dict__)
        for fields in _OWN:  # or else a field added to the copy would be one of the original
            element.__dict__[fields] = self.__dict__[fields].copy()
        return element

    def update(self, instance: BaseDataElement) -> None:
        """Take over all fields of another element.

        Args:
            instance: The element.

        Raises:
            TypeError: If it is none.
            AttributeError: If a field is metainfo of one and data of the other. Nothing is taken
                over then.
        """
        if not isinstance(instance, BaseDataElement):
            raise TypeError(f"instance must be a BaseDataElement, not {type(instance).__name__}")
        with self._all_or_nothing():
            self.set_metainfo(instance.metainfo)
            self.set_data(dict(instance.items()))

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """A new element with every tensor converted, see :meth:`torch.Tensor.to`.

        This and the methods named like it convert whatever has such a method: tensors, nested
        elements, and types of others, such as boxes.

        Args:
            *args: Arguments of that method.
            **kwargs: Likewise.

        Returns:
            The element.
        """
        return self._converted(lambda value: _call(value, "to", *args, **kwargs))

    def cpu(self: Self) -> Self:
        """A new element with every tensor on the CPU."""
        return self._converted(lambda value: _call(value, "cpu"))

    def cuda(self: Self) -> Self:
        """A new element with every tensor on the current GPU."""
        return self._converted(lambda value: _call(value, "cuda"))

    def npu(self: Self) -> Self:
        """A new element with every tensor on the current NPU."""
        return self._converted(lambda value: _call(value, "npu"))

    def mlu(self: Self) -> Self:
        """A new element with every tensor on the current MLU."""
        return self._converted(lambda value: _call(value, "mlu"))

    def musa(self: Self) -> Self:
        """A new element with every tensor on the current MUSA device."""
        return self._converted(lambda value: _call(value, "musa"))

    def detach(self: Self) -> Self:
        """A new element with every tensor cut from its graph."""
        return self._converted(lambda value: _call(value, "detach"))

    def numpy(self: Self) -> Self:
        """A new element with an array in the place of every tensor."""
        return self._converted(_to_array)

    def to_tensor(self: Self) -> Self:
        """A new element with a tensor in the place of every array."""
        return self._converted(_to_tensor)

    def to_dict(self) -> dict[str, Any]:
        """All fields by name, nested elements as dicts."""
        return {
            name: value.to_dict() if isinstance(value, BaseDataElement) else value
            for name, value in self.all_items()
        }

    def _converted(self: Self, convert: Callable[[Any], Any]) -> Self:
        return self.new(**{name: convert(value) for name, value in self.items()})

    @override
    def __repr__(self) -> str:
        lines = ["    META INFORMATION"]
        lines += [_line(name, value) for name, value in self.metainfo_items()]
        lines += ["", "    DATA FIELDS"]
        lines += [_line(name, value) for name, value in self.items()]
        return "\n".join([f"<{type(self).__name__}(", "", *lines, f") at {id(self):#x}>"])


def _line(name: str, value: Any) -> str:
    return f"    {name}: " + repr(value).replace("\n", "\n    ")


def _call(value: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    """The value converted by its own method, or itself if it has none."""
    return getattr(value, method)(*args, **kwargs) if hasattr(value, method) else value


def _to_array(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().cpu().numpy()
    return value.numpy() if isinstance(value, BaseDataElement) else value


def _to_tensor(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    return value.to_tensor() if isinstance(value, BaseDataElement) else value


def _copied(value: Any) -> Any:
    if isinstance(value, BaseDataElement) or (isinstance(value, Tensor) and not value.is_leaf):
        return value.clone()
    return copy.deepcopy(value)


def _equal(one: Any, other: Any) -> bool:
    """Whether two values are the same, those inside of dicts, lists and tuples too."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor):
        same_form = one.dtype == other.dtype and one.shape == other.shape
        return same_form and torch.equal(one, other.to(one.device))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def _need_mapping(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise ArgumentTypeError(f"{name} must be a dict, not {type(value).__name__}")


def _taken(name: str, kind: str) -> AttributeError:
    other = "data" if kind == "metainfo" else "metainfo"
    return AttributeError(f"{name!r} is a field of the {kind}: it cannot be one of the {other} too")
