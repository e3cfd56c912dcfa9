"""Values of the bases as the object ``_base_`` of a Python config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .config_dict import ConfigDict, to_plain
from .lazy_list import LazyList
from .origins import Origin, Origins, Values, origin_of
from .repeats import Repeats
from .types import ConfigValue
from .variables import base_value

__all__ = ["Inherited"]

_CONTAINERS = (dict, list, tuple)


class _Container(NamedTuple):
    """A dictionary or sequence of the bases, referenced so that its ``id`` is not reused."""

    value: object
    origin: Origin
    entries: dict[object, tuple[object, Origin]]


class Inherited:
    """Values of the bases, which a config may use, modify and move.

    Origins are recorded by object, not by key, so that they follow a value wherever it is assigned.

    Args:
        base: The merged bases.
        default: Origin of values that have none.

    Attributes:
        values: The values, as the config sees them.
    """

    def __init__(self, base: Values, default: Origin) -> None:
        self.values = ConfigDict(base.values)
        self._known: dict[int, _Container] = {}
        self.register(self.values, default, (), base.origins)

    def __contains__(self, value: object) -> bool:
        return id(value) in self._known

    def copy_value(self, key: str, origin: Origin) -> ConfigValue:
        """Return a copy of the value of ``{{ _base_.key }}``, with its origins.

        Raises:
            ConfigError: The bases do not have the key.
        """
        value = base_value(self.values, key, origin)
        copied = ConfigDict._hook(to_plain(value))
        self._adopt(copied, value)
        return copied

    def note_changes(
        self, origin: Origin, written: Origins, lines: Mapping[object, int] | None = None
    ) -> None:
        """Record the changes of a statement.

        Args:
            origin: Origin of the statement.
            written: Origins inside the value that it assigns, by the keys in that value.
            lines: Lines of the keys that it contains exactly once.
        """
        for known in list(self._known.values()):
            old, now = known.entries, dict(_iterate_entries(known.value))
            if len(old) == len(now) and all(k in old and old[k][0] is v for k, v in now.items()):
                continue
            # Items of a list that have moved.
            moved = {id(v): at for v, at in old.values() if isinstance(v, _CONTAINERS)}
            entries = {}
            for key, value in now.items():
                if key in old and old[key][0] is value:
                    entries[key] = old[key]
                elif isinstance(known.value, list) and id(value) in moved:
                    entries[key] = (value, moved[id(value)])
                else:
                    at = origin._replace(line=(lines or {}).get(key, origin.line))
                    entries[key] = (value, written.get((), at))
                    self.register(value, at, (), written)
            self._known[id(known.value)] = known._replace(entries=entries)

    def origins_in(self, value: object) -> dict[object, Origin]:
        """Return the origins of the entries of a value that come from the bases, by key."""
        known = self._known.get(id(value))
        old = known.entries if known else {}
        found = {}
        for key, each in _iterate_entries(value):
            if key in old and old[key][0] is each:
                found[key] = old[key][1]
            elif each in self:
                found[key] = self._known[id(each)].origin
        return found

    def add_origins(
        self,
        value: object,
        path: tuple[str, ...],
        origins: Origins,
        repeats: Repeats | None = None,
    ) -> None:
        """Add the origins of everything in a value that comes from the bases, recursively.

        Args:
            value: The value.
            path: Keys that lead to the value.
            origins: Known origins, which take precedence and are added to.
            repeats: Values seen so far. Default: none.
        """
        if not isinstance(value, _CONTAINERS):
            return
        repeats = Repeats() if repeats is None else repeats
        if repeats.find(value) is not None:
            return
        repeats.add(value, value)
        for key, origin in self.origins_in(value).items():
            origins.setdefault((*path, str(key)), origin)
        for key, each in _iterate_entries(value):
            self.add_origins(each, (*path, str(key)), origins, repeats)

    def result(self) -> Values:
        """Return the values of the bases after the changes of the config."""
        origins: Origins = {}
        self.add_origins(self.values, (), origins)
        return Values(to_plain(self.values), origins)

    def register(
        self, value: object, origin: Origin, path: tuple[str, ...], origins: Origins
    ) -> None:
        """Record the origins of a value and of everything in it, unless already recorded.

        Args:
            value: The value.
            origin: Origin of values that have none.
            path: Keys that lead to the value in ``origins``.
            origins: Known origins.
        """
        # There is only one empty tuple.
        if not isinstance(value, _CONTAINERS) or value == () or value in self:
            return
        entries = {
            key: (each, origin_of(origins, (*path, str(key)), origin))
            for key, each in _iterate_entries(value)
        }
        self._known[id(value)] = _Container(value, origin_of(origins, path, origin), entries)
        for key, (each, at) in entries.items():
            self.register(each, at, (*path, str(key)), origins)

    def _adopt(self, copied: object, value: object) -> None:
        known = self._known.get(id(value))
        if known is None or copied in self:
            return
        entries = {}
        inner = dict(_iterate_entries(value))
        for key, each in _iterate_entries(copied):
            entries[key] = (each, known.entries.get(key, (None, known.origin))[1])
            self._adopt(each, inner[key])
        self._known[id(copied)] = _Container(copied, known.origin, entries)


def _iterate_entries(value: ConfigValue) -> Iterator[tuple[object, ConfigValue]]:
    if isinstance(value, dict):
        return iter(dict.items(value))
    if isinstance(value, LazyList):
        return enumerate(list.__iter__(value))
    return enumerate(value) if type(value) in (list, tuple) else iter(())
