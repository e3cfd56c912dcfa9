"""Errors of missing keys, with their place and the closest name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Protocol
from weakref import WeakValueDictionary

from eng.utils import override

from .lazy import keep_lazy
from .origins import Origin

__all__ = ["MissingKeyError", "closest", "explain_missing", "remember"]

_MOST_NAMES = 8


class LocatedConfig(Protocol):
    """The part of a config that finds the place of its dictionaries."""

    _cfg_dict: object

    @property
    def filename(self) -> str | None:
        """File of the config."""

    def _place(self, key: str) -> Origin | None:
        """Return the origin of a key."""


# The place of a dictionary is searched when an error is shown, so that configs need no links from
# each dictionary to the one around it.
_configs: WeakValueDictionary[int, LocatedConfig] = WeakValueDictionary()


class MissingKeyError(AttributeError, KeyError):
    """A key is missing in a config; the message has its place and the closest key.

    Args:
        name: The key.
        values: The dictionary in which it is missing. Default: none, for a message that is known.
        message: The message. Default: composed when it is shown.
    """

    def __init__(self, name: object, values: object = None, message: str | None = None) -> None:
        super().__init__(name)
        self.name = str(name)
        self.obj = values
        self._message = message

    @override
    def __str__(self) -> str:
        if self._message is not None:
            return self._message
        return explain_missing(self.args[0], self.obj if isinstance(self.obj, dict) else {})

    @override
    def __reduce__(self) -> tuple[type[MissingKeyError], tuple[object, None, str]]:
        return (type(self), (self.args[0], None, str(self)))


def remember(cfg: LocatedConfig) -> None:
    """Search a config for the place of dictionaries, as long as it exists.

    Args:
        cfg: The config.
    """
    _configs[id(cfg)] = cfg


def explain_missing(name: object, values: dict[object, object]) -> str:
    """Say which key is missing, the place of the dictionary, and the closest key.

    Args:
        name: The key.
        values: The dictionary in which it is missing.
    """
    path, place = _locate(values)
    names = [str(key) for key in dict.keys(values)]
    near = closest(str(name), names)
    shown = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    known = f"; known keys are {shown}" if names else "; the dict is empty"
    return f"no key {'.'.join([*path, str(name)])!r}{place}{near or known}"


def closest(name: str, names: Iterable[object], cutoff: float = 0.6) -> str:
    """Return ``"; did you mean 'name'?"`` with the closest of some names, or an empty text.

    Args:
        name: The unknown name.
        names: Known names.
        cutoff: Least similarity, from 0 to 1.
    """
    known = [str(each) for each in names]
    near = difflib.get_close_matches(name, known, 1, cutoff)
    # The letters in another case may share nothing.
    near = near or [each for each in known if each.lower() == name.lower()]
    return f"; did you mean {near[0]!r}?" if near else ""


def _locate(values: dict[object, object]) -> tuple[list[str], str]:
    """Return the keys that lead to a dictionary, and its file and line in parentheses."""
    with keep_lazy():
        for cfg in list(_configs.values()):
            path = next(_find(cfg._cfg_dict, values), None)
            if path is None:
                continue
            origin = cfg._place(".".join(path)) if path else None
            place = cfg.filename if origin is None else origin if origin.file else None
            return path, f" ({place})" if place is not None else ""
    return [], ""


def _find(root: object, wanted: object) -> Iterator[list[str]]:
    waiting: list[tuple[object, list[str]]] = [(root, [])]
    seen: set[int] = set()
    while waiting:
        value, path = waiting.pop()
        if value is wanted:
            yield path
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            waiting += [(each, [*path, str(key)]) for key, each in dict.items(value)]
        elif isinstance(value, list):
            waiting += [(e, [*path, str(i)]) for i, e in enumerate(list.__iter__(value))]
        elif isinstance(value, tuple):
            waiting += [(each, [*path, str(index)]) for index, each in enumerate(value)]
