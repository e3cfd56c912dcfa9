"""The whole training engine in one import.

Every name that a package exports is here. A package is imported when one of its names is first
asked for. A name that several packages export is that of the lowest layer.
"""

from eng.utils import lazy_names

from .exports import EXPORTS

_HOMES = {
    name: f"eng.{package}" for package in reversed(list(EXPORTS)) for name in EXPORTS[package]
}

__version__: str  # see _version.py

__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list of names all the same


__getattr__, __dir__ = lazy_names(__name__, _HOMES | {"__version__": "._version"})
