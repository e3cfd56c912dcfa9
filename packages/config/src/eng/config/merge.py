"""Merge configs into their bases."""

from __future__ import annotations

import copy
import difflib
import warnings
from collections.abc import Iterable, Mapping

from .config_dict import drop_markers, is_plain
from .errors import ConfigError
from .keys import DELETE
from .origins import CODE, Origin, Origins, origin_of
from .repeats import Repeats
from .types import ConfigValue, ConfigValues

__all__ = ["merge", "nest"]

_CONTAINERS = (dict, list, tuple)


def merge(
    new: dict[str, ConfigValue],
    base: ConfigValue,
    new_origins: Origins,
    origins: Origins,
    default: Origin = CODE,
    path: tuple[str, ...] = (),
    list_keys: bool = True,
    repeats: Repeats | None = None,
) -> ConfigValue:
    """Merge a dictionary into a dictionary or list; neither is modified.

    Args:
        new: Dictionary to merge.
        base: Dictionary or list to merge into.
        new_origins: Origins of ``new``.
        origins: Origins of ``base``, which are updated.
        default: Origin of keys that ``new_origins`` does not have.
        path: Keys that lead to ``base``.
        list_keys: Whether keys of digits are indices of lists.
        repeats: Copies made so far. Default: none.

    Raises:
        ConfigError: The two cannot be merged.
    """
    repeats = Repeats() if repeats is None else repeats
    result: ConfigValues | list[ConfigValue] = copy.copy(base)
    if isinstance(base, dict) and is_plain(base):
        result = dict(dict.items(base))
    for key, value in new.items():
        if key == DELETE:
            continue
        at = (*path, str(key))
        index: ConfigValue = key
        if isinstance(result, list):
            if not (list_keys and str(key).isdigit() and int(key) < len(result)):
                is_number = str(key).removeprefix("-").isdigit()
                problem = "is out of bounds of" if is_number else "is not an index of"
                raise ConfigError(
                    f"{'.'.join(at)}: {key!r} {problem} a list of length {len(result)}",
                    origin_of(new_origins, at, default),
                )
            index = int(key)
        there = isinstance(result, list) or index in result
        if there and isinstance(value, dict) and not value.get(DELETE, False):
            old = result[index]
            if not isinstance(old, (dict, list) if list_keys else dict):
                raise ConfigError(
                    f"{'.'.join(at)}: cannot merge a dict into {type(old).__name__} of the base "
                    f"({origins.get(at, default)}); set {DELETE}=True to replace it",
                    origin_of(new_origins, at, default),
                )
            result[index] = merge(value, old, new_origins, origins, default, at, list_keys, repeats)
            continue
        if not there and isinstance(value, dict) and value.get(DELETE, False):
            _warn_if_misspelled(at, result, origin_of(new_origins, at, default))
        if there and isinstance(result[index], _CONTAINERS):
            for stale in [known for known in origins if known[: len(at)] == at]:
                del origins[stale]
        result[index] = drop_markers(value, repeats)
        origins[at] = origin_of(new_origins, at, default)
        if isinstance(value, _CONTAINERS):
            origins.update({k: v for k, v in new_origins.items() if k[: len(at)] == at})
    return result


def nest(options: Mapping[str, ConfigValue]) -> dict[str, ConfigValue]:
    """Convert values by dotted key to nested dictionaries.

    Raises:
        ConfigError: A key is set to a value, and another key is inside it.
    """
    nested: dict[str, ConfigValue] = {}
    for key, value in options.items():
        at = nested
        *parents, last = key.split(".")
        for part in parents:
            at = at.setdefault(part, {})
            if not isinstance(at, dict):
                raise ConfigError(
                    f"conflicting options: {part!r} is set to a value, but {key!r} is inside it"
                )
        at[last] = value
    return nested


def _warn_if_misspelled(path: tuple[str, ...], base: Iterable[object], origin: Origin) -> None:
    """Warn if ``_delete_`` has nothing to delete, probably because of a misspelled key."""
    close = difflib.get_close_matches(
        path[-1], [key for key in base if isinstance(key, str)], 1, cutoff=0.8
    )
    if close:
        warnings.warn(
            f"{origin}: {'.'.join(path)} has {DELETE}, but no base has that key; "
            f"did you mean {close[0]!r}?",
            stacklevel=2,
        )
