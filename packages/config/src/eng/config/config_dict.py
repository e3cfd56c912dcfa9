"""Dictionaries with attribute access, the values of configs."""

from __future__ import annotations

import copy
import functools
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from addict import Dict

from eng.utils import override

from .errors import ConfigError
from .keys import DELETE
from .lazy import LazyValue, dotted_path, is_kept, keep_always
from .lazy_list import LazyList
from .missing import MissingKeyError
from .repeats import Repeats
from .types import ConfigValue, ConfigValues

__all__ = ["ConfigDict", "drop_markers", "is_plain", "to_plain", "to_text"]

_PLAIN = (dict, OrderedDict)
_LISTS = (list, LazyList, tuple)
# Types of values that may contain lazy values, except those that build them themselves.
_MAY_BE_LAZY = (LazyValue, tuple, set, frozenset, functools.partial)


class _LazySwitch(type):
    """Adds the attribute ``lazy`` to ConfigDict, but not to its instances."""

    @property
    def lazy(cls) -> bool:
        """Whether lazy values are returned instead of the objects that they refer to."""
        return is_kept()

    @lazy.setter
    def lazy(cls, value: bool) -> None:
        keep_always(value)


class ConfigDict(Dict, metaclass=_LazySwitch):
    """A dictionary whose values are attributes too.

    Nested dictionaries, also in lists and tuples, become :class:`ConfigDict`; subclasses of
    ``dict``, such as ``defaultdict``, are kept. Lazy imports are resolved when a value is read,
    unless the class attribute ``ConfigDict.lazy`` is true.

    Raises:
        MissingKeyError: A key is missing; a ``KeyError`` and an ``AttributeError``.

    Examples:
        >>> ConfigDict(a=dict(b=1)).a.b
        1
    """

    def __init__(self, /, *args: object, **kwargs: ConfigValue) -> None:
        super().__init__()
        repeats = Repeats()
        for key, value in _make_raw_dict(*args, **kwargs).items():
            dict.__setitem__(self, key, self._hook(value, repeats))

    def __missing__(self, name: str) -> ConfigValue:
        raise MissingKeyError(name, self)

    def __getattr__(self, name: str) -> ConfigValue:
        return self[name]

    @override
    def __setattr__(self, name: str, value: object) -> None:
        if any(name in vars(each) for each in type(self).__mro__):
            raise AttributeError(f"'{name}' is a method of {type(self).__name__}: set it as a key")
        self[name] = value

    @override
    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise MissingKeyError(name, self) from None

    def __getitem__(self, name: object) -> ConfigValue:
        return self._resolve(name, dict.__getitem__(self, name))

    def __setitem__(self, name: object, value: object) -> None:
        dict.__setitem__(self, name, self._hook(value))

    # With this iterator, dict(x), {**x} and f(**x) read the values by __getitem__.
    def __iter__(self) -> Iterator[Any]:
        return dict.__iter__(self)

    @classmethod
    def _hook(cls, item: ConfigValue, repeats: Repeats | None = None) -> ConfigValue:
        kind = type(item)
        if kind not in _PLAIN and kind not in _LISTS:
            return item
        repeats = Repeats() if repeats is None else repeats
        made = repeats.find(item)
        if made is not None:
            return made
        if kind in _PLAIN:
            made = cls()
            for key, value in item.items():
                dict.__setitem__(made, key, cls._hook(value, repeats))
        elif kind is tuple:
            made = tuple([cls._hook(each, repeats) for each in item])
        else:
            made = [cls._hook(each, repeats) for each in list.__iter__(item)]
            if any(isinstance(each, _MAY_BE_LAZY) and _is_lazy(each) for each in made):
                made = LazyList(made)
        return repeats.add(item, made)

    @classmethod
    def build_lazy(cls, value: object) -> ConfigValue:
        """Resolve a lazy value, unless ``ConfigDict.lazy``; other values are returned unchanged.

        Raises:
            ImportError: The object cannot be imported.
        """
        if not isinstance(value, _MAY_BE_LAZY) or is_kept() or not _is_lazy(value):
            return value
        return _build(value)

    def _resolve(self, key: object, value: object) -> ConfigValue:
        """Return a value of the dictionary, imported if it is lazy."""
        built = self.build_lazy(value)
        if built is not value and isinstance(built, (dict, list, set)):
            # Data of a module may be modified through the config: keep a copy from now on.
            built = self._hook(built)
            dict.__setitem__(self, key, built)
        return built

    def get(self, key: object, default: object = None) -> ConfigValue:
        """Return the value of a key, or the default if it is missing."""
        return self[key] if key in self else default  # noqa: SIM401 - it would call itself

    def pop(self, key: object, default: object = None) -> ConfigValue:
        """Remove a key and return its value, or the default if it is missing."""
        return self.build_lazy(dict.pop(self, key, default))

    def popitem(self) -> tuple[Any, ConfigValue]:
        """Remove the last key and return it with its value."""
        key: object
        value: object
        key, value = dict.popitem(self)
        return key, self.build_lazy(value)

    def items(self) -> list[tuple[Any, ConfigValue]]:
        """Return the keys with their values."""
        return [(key, self._resolve(key, value)) for key, value in _list_raw_items(self)]

    def values(self) -> list[ConfigValue]:
        """Return the values."""
        return [value for _, value in self.items()]

    def setdefault(self, key: object, default: object = None) -> ConfigValue:
        """Return the value of a key, after setting it if it is missing."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, /, *args: object, **kwargs: ConfigValue) -> None:
        """Update several keys; a dictionary is merged into the existing one.

        A dictionary with ``_delete_=True`` replaces the existing one.

        Args:
            *args: At most one mapping, or iterable of pairs.
            **kwargs: Further values by key.

        Raises:
            TypeError: There is more than one positional argument.

        Examples:
            >>> cfg = ConfigDict(hook=dict(type="CheckpointHook", interval=1))
            >>> cfg.update(hook=dict(interval=5))
            >>> cfg.hook
            {'type': 'CheckpointHook', 'interval': 5}
        """
        if len(args) > 1:
            raise TypeError(f"update expects at most one positional argument, but got {len(args)}")
        self._merge(_make_raw_dict(*args, **kwargs), is_strict=False)

    def merge(self, other: Mapping[Any, ConfigValue]) -> None:
        """Merge another dictionary into this one, recursively; other values are replaced.

        Args:
            other: The dictionary. Nested ones with ``_delete_=True`` replace those of this one.

        Raises:
            ConfigError: A dictionary would be merged into another type; a ``TypeError``.
        """
        self._merge(_make_raw_dict(other), is_strict=True)

    def _merge(self, other: ConfigValues, is_strict: bool) -> None:
        if other.get(DELETE) is True:
            self.clear()
        repeats = Repeats()
        for key, value in other.items():
            if key == DELETE:
                continue
            old = dict.get(self, key)
            merges = isinstance(value, dict) and is_plain(value) and not dict.get(value, DELETE)
            if merges and isinstance(old, ConfigDict):
                if value is not old:
                    old._merge(_make_raw_dict(value), is_strict)
                continue
            if merges and is_strict and key in self and not isinstance(old, dict):
                raise ConfigError(
                    f"{key}: cannot merge a dict into {type(old).__name__}; "
                    f"set {DELETE}=True to replace it"
                )
            # Values keep their identity where possible, since origins are recorded by it.
            kept = drop_markers(value) if _has_marker(value) else value
            dict.__setitem__(self, key, self._hook(kept, repeats))

    def copy(self) -> ConfigDict:
        """Return a shallow copy."""
        return self.__copy__()

    def __copy__(self) -> ConfigDict:
        other = type(self)()
        for key, value in _list_raw_items(self):
            dict.__setitem__(other, key, value)
        return other

    def __deepcopy__(self, memo: dict[int, object]) -> ConfigDict:
        other = type(self)()
        memo[id(self)] = other
        for key, value in _list_raw_items(self):
            dict.__setitem__(other, copy.deepcopy(key, memo), copy.deepcopy(value, memo))
        return other

    @override
    def __reduce_ex__(self, protocol: object) -> ConfigValue:
        return (type(self), (), None, None, iter(dict.items(self)))

    def __or__(self, other: object) -> ConfigValue:
        if not isinstance(other, Mapping):
            return NotImplemented
        return type(self)({**_make_raw_dict(self), **_make_raw_dict(other)})

    def __ror__(self, other: object) -> ConfigValue:
        if not isinstance(other, Mapping):
            return NotImplemented
        return type(self)({**_make_raw_dict(other), **_make_raw_dict(self)})

    def __ior__(self, other: object) -> ConfigValue:
        for key, value in _make_raw_dict(other).items():
            self[key] = value
        return self

    def to_dict(self) -> ConfigValues:
        """Convert to plain dictionaries, recursively, with lazy values as dotted paths."""
        return to_text(to_plain(self))


def is_plain(value: ConfigValues) -> bool:
    """Return whether a dictionary is a plain one, and not a subclass such as ``defaultdict``."""
    return type(value) in _PLAIN or isinstance(value, ConfigDict)


def to_plain(value: ConfigValue, repeats: Repeats | None = None) -> ConfigValue:
    """Convert each :class:`ConfigDict` inside a value to ``dict``; lazy values are kept."""
    if isinstance(value, dict) and not is_plain(value):
        return copy.copy(value)
    if not isinstance(value, dict) and type(value) not in _LISTS:
        return value
    repeats = Repeats() if repeats is None else repeats
    made = repeats.find(value)
    if made is not None:
        return made
    if isinstance(value, dict):
        items = dict.items(value)
        return repeats.add(value, {key: to_plain(item, repeats) for key, item in items})
    if isinstance(value, tuple):
        return repeats.add(value, tuple([to_plain(item, repeats) for item in value]))
    return repeats.add(value, [to_plain(item, repeats) for item in list.__iter__(value)])


def to_text(value: ConfigValue, repeats: Repeats | None = None) -> ConfigValue:
    """Convert each lazy value inside plain dictionaries and lists to its dotted path."""
    if isinstance(value, LazyValue):
        return dotted_path(value)
    if type(value) in (set, frozenset):
        return type(value)(to_text(item) for item in value)
    if type(value) not in (dict, list, tuple):
        return value
    repeats = Repeats() if repeats is None else repeats
    made = repeats.find(value)
    if made is not None:
        return made
    if isinstance(value, dict):
        items = value.items()
        return repeats.add(value, {to_text(k): to_text(item, repeats) for k, item in items})
    return repeats.add(value, type(value)([to_text(item, repeats) for item in value]))


def drop_markers(value: ConfigValue, repeats: Repeats | None = None) -> ConfigValue:
    """Return a value without the markers ``_delete_``, for keys that no base has."""
    is_sequence = type(value) in _LISTS
    if not is_sequence and not (isinstance(value, dict) and is_plain(value)):
        return value
    repeats = Repeats() if repeats is None else repeats
    made = repeats.find(value)
    if made is not None:
        return made
    if isinstance(value, dict):
        items = dict.items(value)
        kept = {key: drop_markers(each, repeats) for key, each in items if key != DELETE}
        return repeats.add(value, kept)
    if isinstance(value, tuple):
        return repeats.add(value, tuple([drop_markers(each, repeats) for each in value]))
    return repeats.add(value, [drop_markers(each, repeats) for each in list.__iter__(value)])


def _has_marker(value: ConfigValue) -> bool:
    """Return whether a value contains ``_delete_`` at any depth."""
    if isinstance(value, dict):
        return is_plain(value) and (
            dict.__contains__(value, DELETE) or any(map(_has_marker, dict.values(value)))
        )
    if type(value) not in _LISTS:
        return False
    return any(map(_has_marker, value if isinstance(value, tuple) else list.__iter__(value)))


def _list_raw_items(value: ConfigValues) -> list[tuple[Any, ConfigValue]]:
    return list(dict.items(value))


def _make_raw_dict(*args: ConfigValue, **kwargs: ConfigValue) -> ConfigValues:
    """Return ``dict(*args, **kwargs)`` without resolving lazy values."""
    if args and isinstance(args[0], ConfigDict):
        args = (dict(dict.items(args[0])), *args[1:])
    made: ConfigValues = dict(*args)
    made.update(kwargs)
    return made


def _is_lazy(value: object) -> bool:
    """Return whether a value is lazy, or a tuple, set or partial function that contains one."""
    if isinstance(value, LazyValue):
        return True
    if isinstance(value, functools.partial):
        return any(map(_is_lazy, (value.func, *value.args, *value.keywords.values())))
    return isinstance(value, (tuple, set, frozenset)) and any(map(_is_lazy, value))


def _build(value: object) -> ConfigValue:
    if isinstance(value, LazyValue):
        return value.build()
    if isinstance(value, functools.partial) and _is_lazy(value):
        keywords = {key: _build(each) for key, each in value.keywords.items()}
        return functools.partial(_build(value.func), *map(_build, value.args), **keywords)
    if isinstance(value, (tuple, set, frozenset)) and _is_lazy(value):
        items = map(_build, value)
        return type(value)._make(items) if hasattr(value, "_make") else type(value)(items)
    return value
