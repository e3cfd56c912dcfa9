"""The whole training engine in one import.

Every name that a package exports is here. A package is imported when one of its names is first
asked for. Of a name that several packages export, the lowest layer's is given.
"""

import importlib
from typing import Any

from eng.all.exports import EXPORTS

_HOMES = {name: package for package in reversed(list(EXPORTS)) for name in EXPORTS[package]}

__version__: str  # see _version.py

__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list of names all the same


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        from ._version import __getattr__ as version_or_error

        return version_or_error(name)
    value = getattr(importlib.import_module(f"eng.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
