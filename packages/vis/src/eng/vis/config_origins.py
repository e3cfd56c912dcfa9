"""Record the origins of the values of a config."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eng.config import Config

__all__ = ["collect_origins"]


def collect_origins(config: Config) -> dict[str, str]:
    """Collect the origin of each value of a config: file and line, code or the command line.

    Args:
        config: The config.

    Returns:
        Origins by dotted key. Keys that contain dots themselves are left out.
    """
    origins = {}
    for key in _list_keys(config.to_dict()):
        try:
            origins[key] = str(config.origin(key))
        except (KeyError, TypeError, IndexError):  # a key with dots, or one that is not a string
            continue
    return origins


def _list_keys(value: object, key: str = "") -> Iterator[str]:
    items: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    is_leaf = True
    for part, item in items:
        is_leaf = False
        yield from _list_keys(item, f"{key}.{part}" if key else str(part))
    if is_leaf and key:
        yield key
