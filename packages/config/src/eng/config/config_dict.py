"""The dictionary that configs are made of."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from addict import Dict

from .repeats import Repeats

__all__ = ["ConfigDict", "is_plain", "to_plain"]

_PLAIN = (dict, OrderedDict)


class ConfigDict(Dict):
    """A dictionary whose values can be read and set as attributes too.

    Dictionaries inside, also those in lists and tuples, become :class:`ConfigDict`; subclasses of
    ``dict``, such as ``defaultdict``, stay what they are.

    Raises:
        KeyError: A missing key is asked for.
        AttributeError: A missing key is asked for as an attribute.

    Examples:
        >>> ConfigDict(a=dict(b=1)).a.b
        1
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self.update(*args, **kwargs)

    def __missing__(self, name: str) -> Any:
        raise KeyError(name)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            message = f"'{type(self).__name__}' object has no attribute '{name}'"
            raise AttributeError(message, name=name, obj=self) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            raise AttributeError(f"'{name}' is a method of {type(self).__name__}: use the key")
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setitem__(self, name: Any, value: Any) -> None:
        dict.__setitem__(self, name, self._hook(value))

    @classmethod
    def _hook(cls, item: Any, repeats: Repeats | None = None) -> Any:
        kind = type(item)
        if kind not in _PLAIN and kind not in (list, tuple):
            return item
        repeats = Repeats() if repeats is None else repeats
        made = repeats.find(item)
        if made is not None:
            return made
        if kind in _PLAIN:
            made = cls()
            for key, value in item.items():
                dict.__setitem__(made, key, cls._hook(value, repeats))
        else:
            made = kind([cls._hook(each, repeats) for each in item])
        return repeats.add(item, made)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Return the value of a key, setting it first where it is missing."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several keys; unlike a merge this replaces nested dictionaries."""
        repeats = Repeats()
        for key, value in dict(*args, **kwargs).items():
            dict.__setitem__(self, key, self._hook(value, repeats))

    def copy(self) -> ConfigDict:
        """Return a shallow copy."""
        return self.__copy__()

    def __copy__(self) -> ConfigDict:
        other = type(self)()
        dict.update(other, self)
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> ConfigDict:
        other = type(self)()
        memo[id(self)] = other
        for key, value in self.items():
            dict.__setitem__(other, copy.deepcopy(key, memo), copy.deepcopy(value, memo))
        return other

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (type(self), (), None, None, iter(self.items()))

    def __or__(self, other: Any) -> Any:
        return type(self)({**self, **other}) if isinstance(other, Mapping) else NotImplemented

    def __ror__(self, other: Any) -> Any:
        return type(self)({**other, **self}) if isinstance(other, Mapping) else NotImplemented

    def __ior__(self, other: Any) -> Any:
        self.update(other)
        return self

    def to_dict(self) -> dict[Any, Any]:
        """Return plain dictionaries, all the way down."""
        return to_plain(self)


def is_plain(value: dict[Any, Any]) -> bool:
    """Whether a dictionary is one of a config, rather than of a class of its own."""
    return type(value) in _PLAIN or isinstance(value, ConfigDict)


def to_plain(value: Any, repeats: Repeats | None = None) -> Any:
    """Turn every :class:`ConfigDict` inside a value into a ``dict``."""
    if isinstance(value, dict) and not is_plain(value):
        return copy.copy(value)
    if not isinstance(value, dict) and type(value) not in (list, tuple):
        return value
    repeats = Repeats() if repeats is None else repeats
    made = repeats.find(value)
    if made is not None:
        return made
    if isinstance(value, dict):
        return repeats.add(value, {key: to_plain(item, repeats) for key, item in value.items()})
    return repeats.add(value, type(value)([to_plain(item, repeats) for item in value]))
