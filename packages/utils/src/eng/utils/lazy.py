"""Import the modules of a package when one of their names is first accessed (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, TypeAlias

__all__ = ["lazy_modules", "lazy_names"]

#: The ``__getattr__`` of a module: attributes of a module may be anything.
GetAttribute: TypeAlias = Callable[[str], Any]


def lazy_names(
    package: str, modules: Mapping[str, str]
) -> tuple[GetAttribute, Callable[[], list[str]]]:
    """Create ``__getattr__`` and ``__dir__`` of a package that imports its modules lazily.

    Modules of the package are attributes too, as in a package that imports them all. Type checkers
    see the names if the package imports them under ``TYPE_CHECKING`` as well.

    Args:
        package: Name of the package, its ``__name__``.
        modules: Module of each name, which may be relative to the package.

    Returns:
        The two functions, to be assigned to these names in the package.

    Examples:
        >>> __getattr__, __dir__ = lazy_names(__name__, {"Timer": "eng.utils.timer"})
    """

    def __getattr__(name: str) -> object:  # noqa: N807 - named by PEP 562
        if name not in modules:
            return _import_submodule(package, name)
        value = getattr(import_module(modules[name], package), name)
        vars(sys.modules[package])[name] = value
        return value

    def __dir__() -> list[str]:  # noqa: N807
        names = vars(sys.modules[package])
        return sorted({*names, *names.get("__all__", ()), *modules})

    return __getattr__, __dir__


def lazy_modules(
    package: str, modules: Mapping[str, Iterable[str]]
) -> tuple[GetAttribute, Callable[[], list[str]]]:
    """Create ``__getattr__`` and ``__dir__`` as :func:`lazy_names` does, from names by module.

    Args:
        package: Name of the package, its ``__name__``.
        modules: Names of each module, which may be relative to the package. ``__version__`` is
            added, from the module ``_version`` of the package.

    Returns:
        The two functions, to be assigned to ``__getattr__`` and ``__dir__`` in the package.

    Examples:
        >>> __getattr__, __dir__ = lazy_modules(__name__, {".timer": ("Timer", "check_time")})
    """
    homes = {name: module for module, names in modules.items() for name in names}
    return lazy_names(package, homes | {"__version__": "._version"})


def _import_submodule(package: str, name: str) -> ModuleType:
    """Import a module of a package, or raise ``AttributeError``."""
    module = f"{package}.{name}"
    if not name.startswith("_"):
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
    raise AttributeError(f"module {package!r} has no attribute {name!r}")
