"""Load storage backends that installed packages advertise by entry point."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from .base import BaseStorageBackend

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "find_advertised", "list_advertised", "load_advertised"]

#: Entry name = name of the backend and prefix of its URIs, value = ``module:Class``.
GROUP = "eng.fileio.backends"


@functools.cache
def list_advertised() -> dict[str, EntryPoint]:
    """Return the entry points of all installed packages by name, read once per process."""
    from importlib.metadata import entry_points

    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):  # in the order of sys.path; the first takes precedence
        points.setdefault(point.name, point)
    return points


def find_advertised(name: str) -> EntryPoint | None:
    """Return the entry point of a name, also of a package installed after the first call."""
    if name not in list_advertised():
        list_advertised.cache_clear()
    return list_advertised().get(name)


def load_advertised(point: EntryPoint) -> type[BaseStorageBackend]:
    """Import the backend of an entry point.

    Raises:
        ImportError: If the backend cannot be imported; the message has the package.
        TypeError: If it is not a subclass of :class:`BaseStorageBackend`.
    """
    owner = f"storage backend {point.name!r} ({point.value}"
    owner += f" of {point.dist.name})" if point.dist is not None else ")"
    try:
        backend = point.load()
    except Exception as error:
        raise ImportError(f"{owner} cannot be imported: {type(error).__name__}: {error}") from error
    if not isinstance(backend, type) or not issubclass(backend, BaseStorageBackend):
        raise TypeError(f"{owner} is not a subclass of BaseStorageBackend")
    return backend
