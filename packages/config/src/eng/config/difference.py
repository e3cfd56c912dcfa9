"""Compare configs by key and as text."""

from __future__ import annotations

import difflib
import sys
from typing import NamedTuple, Protocol

from .compare import is_same
from .types import ConfigValue

__all__ = ["Difference", "diff", "diff_text"]

_COLORS = {"+": "32", "-": "31"}


class Readable(Protocol):
    """Members of a config that are compared."""

    @property
    def pretty_text(self) -> str:
        """The config as Python."""

    def to_dict(self) -> dict[str, ConfigValue]:
        """Return plain dictionaries."""


class Difference(NamedTuple):
    """A key whose value differs between two configs; ``MISSING`` if one does not have it."""

    key: str
    left: ConfigValue
    right: ConfigValue


MISSING = type("Missing", (), {"__repr__": lambda self: "(missing)"})()


def diff(left: Readable, right: Readable) -> list[Difference]:
    """Return the differences between two configs, by dotted key."""
    found: list[Difference] = []

    def compare(a: object, b: object, key: str) -> None:
        if isinstance(a, dict) and isinstance(b, dict):
            for name in [*a, *(name for name in b if name not in a)]:
                inner = f"{key}.{name}" if key else str(name)
                compare(a.get(name, MISSING), b.get(name, MISSING), inner)
        elif type(a) is list and type(b) is list and len(a) == len(b):
            for index, (one, other) in enumerate(zip(a, b, strict=True)):
                compare(one, other, f"{key}.{index}")
        elif not is_same(a, b):
            found.append(Difference(key, a, b))

    compare(left.to_dict(), right.to_dict(), "")
    return found


def diff_text(left: Readable, right: Readable) -> str:
    """Return the unified diff of the texts of two configs, colored on a terminal."""
    lines = list(difflib.unified_diff(left.pretty_text.split("\n"), right.pretty_text.split("\n")))
    if not lines:
        return ""
    if sys.stdout is not None and sys.stdout.isatty():
        lines = [
            f"\033[{_COLORS[line[0]]}m{line}\033[0m" if line[:1] in _COLORS else line
            for line in lines
        ]
    return "".join(f"{line}\n" for line in [*lines, ""])
