"""Limit the copies of values that a config uses in several places."""

from __future__ import annotations

from collections.abc import Sized

from .types import ConfigValue

__all__ = ["Repeats", "count_entries"]

#: Total number of entries in copies of a value beyond the first one.
BUDGET = 10_000


class Repeats:
    """Copies of values in a pass over a config.

    Each place of a config gets its own copy, so that it can be modified alone. Nested aliases of
    YAML multiply with each level: if the repeated copies have more than :data:`BUDGET` entries,
    further places share one copy, so that a pass stays linear.
    """

    def __init__(self) -> None:
        # The original is referenced too, so that its id is not reused.
        self._made: dict[int, tuple[object, ConfigValue]] = {}
        self._left = BUDGET

    def find(self, value: Sized) -> ConfigValue:
        """Return the copy to share, or None if a new one is to be made."""
        made = self._made.get(id(value))
        if made is None:
            return None
        self._left -= 1 + len(value)
        return made[1] if self._left < 0 else None

    def add(self, value: object, copied: object) -> ConfigValue:
        """Record the copy of a value, and return it."""
        self._made[id(value)] = (value, copied)
        return copied


def count_entries(value: object, known: dict[int, int] | None = None) -> int:
    """Return the number of entries of a value, counting shared values each time."""
    known = {} if known is None else known
    if not isinstance(value, (dict, list, tuple)):
        return 1
    if id(value) not in known:
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(count_entries(each, known) for each in inner)
    return known[id(value)]
