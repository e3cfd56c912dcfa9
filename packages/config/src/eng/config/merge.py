"""Merging a config into the one it builds on."""

from __future__ import annotations

from typing import Any

from .errors import ConfigError
from .keys import DELETE
from .origins import CODE, Origin, Origins, origin_of

__all__ = ["merge", "new_value"]

_CONTAINERS = (dict, list, tuple)


def merge(
    new: dict[str, Any],
    base: Any,
    new_origins: Origins,
    origins: Origins,
    default: Origin = CODE,
    path: tuple[str, ...] = (),
    strict: bool = True,
    list_keys: bool = True,
) -> Any:
    """Merge a dictionary into a dictionary or list; neither is changed.

    Args:
        new: What to merge.
        base: What to merge into.
        new_origins: Origins of ``new``.
        origins: Origins of ``base``, which are updated.
        default: Origin of what ``new_origins`` does not have.
        path: Keys that lead here.
        strict: Whether ``_delete_`` of what is not there is an error.
        list_keys: Whether digits as keys stand for the elements of a list.

    Raises:
        ConfigError: The two cannot be merged.
    """
    result = list(base) if isinstance(base, list) else dict(base)
    for key, value in new.items():
        if key == DELETE:
            continue
        at = (*path, str(key))
        index: Any = key
        if isinstance(result, list):
            if not (list_keys and str(key).isdigit() and int(key) < len(result)):
                raise ConfigError(
                    f"{'.'.join(at)}: {key!r} is no index of a list of length {len(result)}",
                    origin_of(new_origins, at, default),
                )
            index = int(key)
        there = isinstance(result, list) or index in result
        if there and isinstance(value, dict) and not value.get(DELETE, False):
            old = result[index]
            if not isinstance(old, (dict, list) if list_keys else dict):
                raise ConfigError(
                    f"{'.'.join(at)} is a dict, but the base has a {type(old).__name__} there "
                    f"({origins.get(at, default)}); set {DELETE}=True to drop that of the base",
                    origin_of(new_origins, at, default),
                )
            result[index] = merge(value, old, new_origins, origins, default, at, strict, list_keys)
            continue
        if there and isinstance(result[index], _CONTAINERS):
            for stale in [known for known in origins if known[: len(at)] == at]:
                del origins[stale]
        if there and isinstance(value, dict):
            kept = {k: v for k, v in value.items() if k != DELETE}
            result[index] = new_value(kept, new_origins, default, at, strict)
        else:
            result[index] = new_value(value, new_origins, default, at, strict)
        origins[at] = origin_of(new_origins, at, default)
        if isinstance(value, _CONTAINERS):
            origins.update({k: v for k, v in new_origins.items() if k[: len(at)] == at})
    return result


def new_value(
    value: Any,
    origins: Origins,
    default: Origin = CODE,
    path: tuple[str, ...] = (),
    strict: bool = True,
) -> Any:
    """Return a value that no base has, so that there is nothing in it to delete.

    Args:
        value: The value; it is not changed.
        origins: Origins of the value.
        default: Origin of what ``origins`` does not have.
        path: Keys that lead to the value.
        strict: Whether a ``_delete_`` in it is an error, rather than left out.

    Raises:
        ConfigError: There is one.
    """
    if type(value) in (list, tuple):
        return type(value)(
            new_value(each, origins, default, (*path, str(index)), strict)
            for index, each in enumerate(value)
        )
    if not isinstance(value, dict):
        return value
    if value.get(DELETE, False) and strict:
        raise ConfigError(
            f"{'.'.join(path) or 'the file'} has {DELETE}, but there is nothing to delete: no "
            "base has that key",
            origin_of(origins, (*path, DELETE), default),
        )
    return {
        key: new_value(each, origins, default, (*path, str(key)), strict)
        for key, each in value.items()
        if key != DELETE
    }
