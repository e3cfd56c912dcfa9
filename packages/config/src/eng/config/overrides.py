"""Find options that probably do not change what they are meant to change."""

from __future__ import annotations

from collections.abc import Iterator

from .keys import DELETE
from .missing import closest, explain_missing
from .types import ConfigValue, ConfigValues

__all__ = ["find_misfits", "find_unknown"]

_CUTOFF = 0.75
_NUMBERS = {bool: "a bool", int: "an int", float: "a float"}
_CONTAINERS = {list: "a list", tuple: "a tuple", dict: "a dict"}


def find_unknown(new: ConfigValues, old: ConfigValue, only_close: bool = True) -> Iterator[str]:
    """Yield messages about keys that a config does not have, with the closest ones.

    Args:
        new: Nested options.
        old: The config, or the value in it that they are merged into.
        only_close: Whether to leave out keys that resemble none, which are often new on purpose.
    """
    if isinstance(old, (list, tuple)):
        old = {str(index): each for index, each in enumerate(_items(old))}
    if not isinstance(old, dict) or new.get(DELETE):
        return
    for key, value in new.items():
        if key in old:
            if isinstance(value, dict):
                yield from find_unknown(value, dict.__getitem__(old, key), only_close)
        elif key != DELETE and (not only_close or closest(str(key), old, _CUTOFF)):
            yield explain_missing(key, old)


def find_misfits(
    new: ConfigValue, old: ConfigValue, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield messages about text in place of numbers, and single values in place of several.

    Args:
        new: Nested options.
        old: The config, or the value in it that they are merged into.
        path: Keys that lead to it.

    Yields:
        The keys that lead to the value, and the message.
    """
    if isinstance(new, dict):
        if isinstance(old, (list, tuple)):
            old = {str(index): each for index, each in enumerate(_items(old))}
        if isinstance(old, dict) and not new.get(DELETE):
            for key, value in new.items():
                if key in old:
                    yield from find_misfits(value, dict.__getitem__(old, key), (*path, str(key)))
        return
    kind = next((kind for kind in _CONTAINERS if isinstance(old, kind)), None)
    if type(old) in _NUMBERS and isinstance(new, str):
        yield path, f"was {_NUMBERS[type(old)]} ({old!r}), got the text {new!r}"
    elif kind is not None and isinstance(new, (str, int, float)):
        what = f"the text {new!r}" if isinstance(new, str) else repr(new)
        yield path, f"was {_CONTAINERS[kind]} of {len(old)}, got {what}"


def _items(value: ConfigValue) -> ConfigValue:
    return list.__iter__(value) if isinstance(value, list) else value
