"""Bound the copies of values that several places of a config share."""

from __future__ import annotations

from collections.abc import Sized

from .types import ConfigValue

__all__ = ["Repeats", "count_entries"]

#: Entries that copies beyond the first one of a value may have in all.
BUDGET = 10_000


class Repeats:
    """Copies of values in one pass over a config.

    Each place of a config gets a copy of its own, so that it can be changed alone. Nested aliases
    of YAML multiply with each level; so once the repeated copies have :data:`BUDGET` entries,
    further places share one copy, and a pass stays linear.
    """

    def __init__(self) -> None:
        # The original is kept as well, so that its id stays its own.
        self._made: dict[int, tuple[object, ConfigValue]] = {}
        self._left = BUDGET

    def find(self, value: Sized) -> ConfigValue:
        """Return the copy to share, or None where another one is to be made."""
        made = self._made.get(id(value))
        if made is None:
            return None
        self._left -= 1 + len(value)
        return made[1] if self._left < 0 else None

    def add(self, value: object, copied: object) -> ConfigValue:
        """Note the copy of a value, and return it."""
        self._made[id(value)] = (value, copied)
        return copied


def count_entries(value: object, known: dict[int, int] | None = None) -> int:
    """Return the number of entries that a value has when it is written out."""
    known = {} if known is None else known
    if not isinstance(value, (dict, list, tuple)):
        return 1
    if id(value) not in known:
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(count_entries(each, known) for each in inner)
    return known[id(value)]
