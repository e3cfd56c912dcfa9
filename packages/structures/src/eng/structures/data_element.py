"""Base class of annotations and predictions, with metainfo and data fields."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from eng.utils import ArgumentTypeError, ArgumentValueError, override

from .display import Row, describe, to_html, to_text
from .types import FieldValue

__all__ = ["BaseDataElement"]

Self = TypeVar("Self", bound="BaseDataElement")
_OWN = ("_metainfo_fields", "_data_fields")


class Printer(Protocol):
    """The member of the printer of IPython that is used."""

    def text(self, obj: str) -> None:
        """Print a text."""


class BaseDataElement:
    """Annotations or predictions of a sample, with separate metainfo.

    Fields are attributes. ``metainfo`` describes the sample, such as its shape or file; data fields
    are its annotations or predictions: tensors, arrays, or nested elements. Methods named like
    those of tensors apply to every tensor of the data, in nested elements too, but not within
    lists and dicts.

    Two elements are equal if their types, metainfo and data are; as with tensors, NaN is not equal
    to itself. The hash is that of the object, since fields may change.

    Args:
        metainfo: Metainfo by name. Defaults to None, empty.
        **kwargs: Data fields by name.

    Raises:
        AttributeError: If a field has the name of a method, or is metainfo and data at once.

    Examples:
        >>> element = BaseDataElement(metainfo=dict(img_shape=(4, 4)), scores=torch.rand(3))
        >>> element.img_shape, 'scores' in element, list(element.keys())
        ((4, 4), True, ['scores'])
    """

    # Dicts as ordered sets.
    _metainfo_fields: dict[str, None]
    _data_fields: dict[str, None]

    def __init__(
        self, *, metainfo: Mapping[str, FieldValue] | None = None, **kwargs: FieldValue
    ) -> None:
        self._metainfo_fields = {}
        self._data_fields = {}
        if metainfo is not None:
            self.set_metainfo(metainfo)
        if kwargs:
            self.set_data(kwargs)

    # ------------------------------------------------------------------ fields

    def set_metainfo(self, metainfo: Mapping[str, FieldValue]) -> None:
        """Set metainfo to deep copies of values.

        Args:
            metainfo: Values by name.

        Raises:
            TypeError: If ``metainfo`` is not a mapping.
            AttributeError: If a name is a data field. Then nothing is set.
        """
        _check_mapping("metainfo", metainfo)
        with self._restore_on_error():
            for name, value in copy.deepcopy(dict(metainfo)).items():
                self.set_field(value, name, field_type="metainfo")

    def set_data(self, data: Mapping[str, FieldValue]) -> None:
        """Set data fields.

        Args:
            data: Values by name.

        Raises:
            TypeError: If ``data`` is not a mapping.
            AttributeError: If a name is a metainfo field. Then nothing is set.
        """
        _check_mapping("data", data)
        with self._restore_on_error():
            for name, value in data.items():
                if name in self._metainfo_fields:
                    raise _make_conflict(name, "metainfo")
                setattr(self, name, value)

    @contextmanager
    def _restore_on_error(self) -> Iterator[None]:
        """Restore all fields if one of several cannot be set."""
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
        value: FieldValue,
        name: str,
        dtype: type | tuple[type, ...] | None = None,
        field_type: str = "data",
    ) -> None:
        """Set one field; called by the setters of properties.

        Args:
            value: The value.
            name: The name; ``_name`` in the setter of a property ``name``.
            dtype: Required type or types of the value. Defaults to None, any.
            field_type: ``'data'`` (default) or ``'metainfo'``.

        Raises:
            TypeError: If the value is not an instance of ``dtype``.
            ValueError: If ``field_type`` is invalid.
            AttributeError: If the name is a field of the other kind, or a method.
        """
        if dtype is not None and not isinstance(value, dtype):
            raise ArgumentTypeError(
                f"{name.lstrip('_')!r} of {type(self).__name__} must be {dtype}, not {type(value)}"
            )
        if field_type not in ("data", "metainfo"):
            raise ArgumentValueError(
                f"field_type must be one of 'data' or 'metainfo', not {field_type!r}"
            )
        fields, others = self._data_fields, self._metainfo_fields
        if field_type == "metainfo":
            fields, others = others, fields
        if name in others:
            raise _make_conflict(name, "metainfo" if field_type == "data" else "data")
        on_class = getattr(type(self), name, None)
        if isinstance(on_class, property):
            super().__setattr__(name, value)
            # The setter has chosen the kind of its field.
            is_metainfo = f"_{name}" in self._metainfo_fields
            (self._metainfo_fields if is_metainfo else self._data_fields)[name] = None
            return
        if callable(on_class):
            raise AttributeError(
                f"{name!r} is a method of {type(self).__name__} and cannot be a field"
            )
        super().__setattr__(name, self._check_value(name, value) if field_type == "data" else value)
        fields[name] = None

    def _check_value(self, name: str, value: FieldValue) -> FieldValue:
        """Validate and convert a value of a data field; subclasses override this."""
        return value

    def __getattr__(self, name: str) -> Any:
        """Report a field that is missing, and those that there are.

        Args:
            name: Its name.

        Raises:
            AttributeError: Always; fields that there are do not come here.
        """
        if hasattr(type(self), name):  # a property failed: its own error says why
            return object.__getattribute__(self, name)
        message = f"{type(self).__name__!r} object has no attribute {name!r}"
        if not name.startswith("__"):
            own = self.__dict__
            kinds = {"metainfo": own.get("_metainfo_fields"), "data": own.get("_data_fields")}
            known = [f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names]
            message += f"; it has {'; '.join(known) or 'no fields'}"
        raise AttributeError(message, name=name, obj=self)

    @override
    def __setattr__(self, name: str, value: FieldValue) -> None:
        if name in _OWN:
            if name in self.__dict__:
                raise AttributeError(f"{name} is reserved by {type(self).__name__}")
            super().__setattr__(name, value)
        else:
            kind = "metainfo" if name in self._metainfo_fields else "data"
            self.set_field(value, name, field_type=kind)

    @override
    def __delattr__(self, name: str) -> None:
        if name in _OWN:
            raise AttributeError(f"{name} is reserved by {type(self).__name__}")
        super().__delattr__(name)
        self._metainfo_fields.pop(name, None)
        self._data_fields.pop(name, None)

    def __contains__(self, name: str) -> bool:
        return name in self._data_fields or name in self._metainfo_fields

    def get(self, key: str, default: FieldValue = None) -> FieldValue:
        """Return a field, or a default if it does not exist.

        Args:
            key: Name of the field.
            default: The default. Defaults to None.
        """
        return getattr(self, key) if key in self else default

    def pop(self, *args: FieldValue) -> FieldValue:
        """Remove a field and return its value.

        Args:
            *args: The name, and optionally a default if the field does not exist.

        Raises:
            KeyError: If the field does not exist and no default is given.
            TypeError: If the number of arguments is not one or two.
        """
        if len(args) not in (1, 2):
            raise TypeError(f"pop takes a name and an optional default, not {len(args)} arguments")
        name, *default = args
        if name in self:
            value = getattr(self, name)
            delattr(self, name)
            return value
        if default:
            return default[0]
        raise KeyError(f"unknown field {name!r}, expected one of {self.all_keys()}")

    @property
    def metainfo(self) -> dict[str, FieldValue]:
        """Metainfo by name."""
        return dict(self.metainfo_items())

    def keys(self) -> list[str]:
        """List the names of the data fields; a property is listed once, by its own name."""
        return self._list_public(self._data_fields)

    def values(self) -> list[FieldValue]:
        """List the values of the data fields."""
        return [getattr(self, name) for name in self.keys()]

    def items(self) -> Iterator[tuple[str, FieldValue]]:
        """Iterate over names and values of the data fields."""
        return ((name, getattr(self, name)) for name in self.keys())

    def metainfo_keys(self) -> list[str]:
        """List the names of the metainfo."""
        return self._list_public(self._metainfo_fields)

    def metainfo_values(self) -> list[FieldValue]:
        """List the values of the metainfo."""
        return [getattr(self, name) for name in self.metainfo_keys()]

    def metainfo_items(self) -> Iterator[tuple[str, FieldValue]]:
        """Iterate over names and values of the metainfo."""
        return ((name, getattr(self, name)) for name in self.metainfo_keys())

    def all_keys(self) -> list[str]:
        """List the names of metainfo and data."""
        return [*self.metainfo_keys(), *self.keys()]

    def all_values(self) -> list[FieldValue]:
        """List the values of metainfo and data."""
        return [*self.metainfo_values(), *self.values()]

    def all_items(self) -> Iterator[tuple[str, FieldValue]]:
        """Iterate over names and values of metainfo and data."""
        yield from self.metainfo_items()
        yield from self.items()

    def _list_public(self, fields: Iterable[str]) -> list[str]:
        """List names, without those that store the value of a property."""
        hidden = {
            f"_{name}" for name in fields if isinstance(getattr(type(self), name, None), property)
        }
        return [name for name in fields if name not in hidden]

    @override
    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return _are_equal(self.metainfo, other.metainfo) and _are_equal(
            dict(self.items()), dict(other.items())
        )

    __hash__ = object.__hash__

    # ------------------------------------------------------------------ new elements

    def new(
        self: Self, *, metainfo: Mapping[str, FieldValue] | None = None, **kwargs: FieldValue
    ) -> Self:
        """Return a new element of this type.

        Args:
            metainfo: Metainfo of the new element. Defaults to None, that of this element.
            **kwargs: Data fields of the new element. Defaults to those of this element.
        """
        element = self.__class__()
        element.set_metainfo(self.metainfo if metainfo is None else metainfo)
        element.set_data(kwargs or dict(self.items()))
        return element

    def clone(self: Self) -> Self:
        """Return a deep copy. Tensors of an autograd graph are copied by their ``clone``."""
        return self._convert_values(_copy_value)

    def __copy__(self: Self) -> Self:
        element = self.__class__.__new__(self.__class__)
        element.__dict__.update(self.__dict__)
        for fields in _OWN:  # copied, or a field added to the copy would be one of the original
            element.__dict__[fields] = self.__dict__[fields].copy()
        return element

    def update(self, instance: BaseDataElement) -> None:
        """Set all fields of another element.

        Args:
            instance: The other element.

        Raises:
            TypeError: If ``instance`` is not a data element.
            AttributeError: If a field is metainfo of one and data of the other. Then nothing is
                set.
        """
        if not isinstance(instance, BaseDataElement):
            raise TypeError(f"instance must be a BaseDataElement, not {type(instance).__name__}")
        with self._restore_on_error():
            self.set_metainfo(instance.metainfo)
            self.set_data(dict(instance.items()))

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """Return a new element with every tensor converted, see :meth:`torch.Tensor.to`.

        This and the methods below convert every value that has a method of that name: tensors,
        nested elements, and custom types such as boxes.

        Args:
            *args: Positional arguments of that method.
            **kwargs: Keyword arguments of that method.
        """
        return self._convert_values(lambda value: _call(value, "to", *args, **kwargs))

    def cpu(self: Self) -> Self:
        """Return a new element with every tensor on the CPU."""
        return self._convert_values(lambda value: _call(value, "cpu"))

    def cuda(self: Self) -> Self:
        """Return a new element with every tensor on the current GPU."""
        return self._convert_values(lambda value: _call(value, "cuda"))

    def npu(self: Self) -> Self:
        """Return a new element with every tensor on the current NPU."""
        return self._convert_values(lambda value: _call(value, "npu"))

    def mlu(self: Self) -> Self:
        """Return a new element with every tensor on the current MLU."""
        return self._convert_values(lambda value: _call(value, "mlu"))

    def musa(self: Self) -> Self:
        """Return a new element with every tensor on the current MUSA device."""
        return self._convert_values(lambda value: _call(value, "musa"))

    def detach(self: Self) -> Self:
        """Return a new element with every tensor detached from its graph."""
        return self._convert_values(lambda value: _call(value, "detach"))

    def numpy(self: Self) -> Self:
        """Return a new element with every tensor converted to an array."""
        return self._convert_values(_to_array)

    def to_tensor(self: Self) -> Self:
        """Return a new element with every array converted to a tensor."""
        return self._convert_values(_to_tensor)

    def to_dict(self) -> dict[str, FieldValue]:
        """Return all fields by name, with nested elements as dicts."""
        return {
            name: value.to_dict() if isinstance(value, BaseDataElement) else value
            for name, value in self.all_items()
        }

    def _convert_values(self: Self, convert: Callable[[FieldValue], FieldValue]) -> Self:
        return self.new(**{name: convert(value) for name, value in self.items()})

    @override
    def __repr__(self) -> str:
        lines = ["    META INFORMATION"]
        lines += [_format_field(name, value) for name, value in self.metainfo_items()]
        lines += ["", "    DATA FIELDS"]
        lines += [_format_field(name, value) for name, value in self.items()]
        return "\n".join([f"<{type(self).__name__}(", "", *lines, f") at {id(self):#x}>"])

    def _repr_html_(self) -> str:
        """Return a table of the fields, for notebooks."""
        return to_html(_name(self), _describe_fields(self))

    def _repr_pretty_(self, printer: Printer, cycle: bool) -> None:
        """Print a table of the fields, in IPython."""
        printer.text("..." if cycle else to_text(_name(self), _describe_fields(self)))


def _name(element: BaseDataElement) -> str:
    length = f" of {len(element)}" if isinstance(element, Sized) else ""
    return f"{type(element).__name__}{length}"


def _describe_fields(element: BaseDataElement) -> list[Row]:
    meta = [describe(f"({name})", value) for name, value in element.metainfo_items()]
    return [*(describe(name, value) for name, value in element.items()), *meta]


def _format_field(name: str, value: object) -> str:
    return f"    {name}: " + repr(value).replace("\n", "\n    ")


def _call(value: FieldValue, method: str, *args: Any, **kwargs: Any) -> FieldValue:
    """Call a method of the value, or return the value if it does not have it."""
    return getattr(value, method)(*args, **kwargs) if hasattr(value, method) else value


def _to_array(value: FieldValue) -> FieldValue:
    if isinstance(value, Tensor):
        return value.detach().cpu().numpy()
    return value.numpy() if isinstance(value, BaseDataElement) else value


def _to_tensor(value: FieldValue) -> FieldValue:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    return value.to_tensor() if isinstance(value, BaseDataElement) else value


def _copy_value(value: FieldValue) -> FieldValue:
    if isinstance(value, BaseDataElement) or (isinstance(value, Tensor) and not value.is_leaf):
        return value.clone()
    return copy.deepcopy(value)


def _are_equal(one: FieldValue, other: FieldValue) -> bool:
    """Whether two values are equal, also within dicts, lists and tuples."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor):
        has_same_form = one.dtype == other.dtype and one.shape == other.shape
        return has_same_form and torch.equal(one, other.to(one.device))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(_are_equal(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_are_equal, one, other))
    return bool(one == other)


def _check_mapping(name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise ArgumentTypeError(f"{name} must be a dict, not {type(value).__name__}")


def _make_conflict(name: str, kind: str) -> AttributeError:
    other = "data" if kind == "metainfo" else "metainfo"
    return AttributeError(f"{name!r} is already a {kind} field and cannot be a {other} field")
