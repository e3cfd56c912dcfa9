"""Lazy names of a package: import a module when one of its names is first asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["lazy_modules", "lazy_names"]


def lazy_names(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the ``__getattr__`` and ``__dir__`` of a package that imports its modules late.

    A module of the package is an attribute of it as well, as it is where the package imports all
    of them. Type checkers see the names if the package imports them under ``TYPE_CHECKING`` too.

    Args:
        package: Name of the package, its ``__name__``.
        modules: Each name to the module that has it, which may be relative to the package.

    Returns:
        The two functions, to be assigned to these names in the package.

    Examples:
        >>> __getattr__, __dir__ = lazy_names(__name__, {"Timer": "eng.utils.timer"})
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 - what PEP 562 calls them
        if name not in modules:
            return _submodule(package, name)
        value = getattr(import_module(modules[name], package), name)
        vars(sys.modules[package])[name] = value
        return value

    def __dir__() -> list[str]:  # noqa: N807
        names = vars(sys.modules[package])
        return sorted({*names, *names.get("__all__", ()), *modules})

    return __getattr__, __dir__


def lazy_modules(
    package: str, modules: Mapping[str, Iterable[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Do as :func:`lazy_names`, with the names of a module together, for a package with a version.

    Args:
        package: Name of the package, its ``__name__``.
        modules: Modules, which may be relative to the package, each with names that it has.
            ``__version__`` is that of the package's ``_version``.

    Returns:
        The two functions, to be assigned to ``__getattr__`` and ``__dir__`` in the package.

    Examples:
        >>> __getattr__, __dir__ = lazy_modules(__name__, {".timer": ("Timer", "check_time")})
    """
    homes = {name: module for module, names in modules.items() for name in names}
    return lazy_names(package, homes | {"__version__": "._version"})


def _submodule(package: str, name: str) -> ModuleType:
    """Import a module of a package, or say that it has no such attribute."""
    module = f"{package}.{name}"
    if not name.startswith("_"):
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
    raise AttributeError(f"module {package!r} has no attribute {name!r}")
