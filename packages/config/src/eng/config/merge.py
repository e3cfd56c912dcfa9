"""Merging a config into the one it builds on."""

from __future__ import annotations

from typing import Any

from eng.config.errors import ConfigError, Origin

Origins = dict[tuple[str, ...], Origin]
_CODE = Origin(None)


def merge(
    new: dict[str, Any],
    base: Any,
    new_origins: Origins,
    origins: Origins,
    default: Origin = _CODE,
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

    def origin(at: tuple[str, ...]) -> Origin:
        while at and at not in new_origins:
            at = at[:-1]
        return new_origins.get(at, default)

    result = list(base) if isinstance(base, list) else dict(base)
    for key, value in new.items():
        at = (*path, str(key))
        index: Any = key
        if isinstance(result, list):
            if not (list_keys and str(key).isdigit() and int(key) < len(result)):
                raise ConfigError(
                    f"{'.'.join(at)}: {key!r} is no index of a list of length {len(result)}",
                    origin(at),
                )
            index = int(key)
        there = isinstance(result, list) or index in result
        delete = isinstance(value, dict) and value.get("_delete_", False)
        if delete and not there and strict:
            raise ConfigError(f"{'.'.join(at)} has _delete_, but no base has that key", origin(at))
        if isinstance(value, dict):
            kept = {k: v for k, v in value.items() if k != "_delete_"} if delete else value
            if there and not delete:
                old = result[index]
                if not isinstance(old, (dict, list) if list_keys else dict):
                    raise ConfigError(
                        f"{'.'.join(at)} is a dict, but the base has a {type(old).__name__} there "
                        f"({origins.get(at, default)}); set _delete_=True to drop that of the base",
                        origin(at),
                    )
                result[index] = merge(
                    kept, old, new_origins, origins, default, at, strict, list_keys
                )
                continue
            result[index] = kept
        else:
            result[index] = value
        for stale in [known for known in origins if known[: len(at)] == at]:
            del origins[stale]
        origins[at] = origin(at)
        origins.update({k: v for k, v in new_origins.items() if k[: len(at)] == at})
    return result
