"""Discover and import modules of installed packages that register classes."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from typing import NamedTuple

from eng.utils import override

__all__ = [
    "Failure",
    "failures",
    "import_advertised",
    "import_object",
    "import_scope",
    "register_all_modules",
]

GROUP = "eng.modules"

_done: set[str] = set()
_failures: dict[str, dict[str, Failure]] = {}


class Failure(NamedTuple):
    """An advertised module that could not be imported."""

    module: str
    distribution: str
    error: Exception
    extras: tuple[str, ...] = ()

    @override
    def __str__(self) -> str:
        text = (
            f"{self.module}, advertised by the distribution {self.distribution}, cannot be "
            f"imported: {type(self.error).__name__}: {self.error}"
        )
        if self.extras:
            return f"{text} (pip install '{self.distribution}[{','.join(self.extras)}]')"
        if isinstance(self.error, ModuleNotFoundError) and self.error.name:
            return f"{text} (install the package that provides the module {self.error.name!r})"
        return text


def import_advertised(registry_name: str) -> None:
    """Import all modules that distributions advertise for a registry, once per process.

    A module that fails to import is reported by a warning; the others are still imported.

    Args:
        registry_name: Name of the root registry, which is the entry point name.
    """
    if registry_name in _done:
        return
    # Imported late, since importlib.metadata is slower to import than this whole package.
    from importlib import metadata

    # Without a lock: imports take their own, and two locks in different orders can deadlock.
    # Threads that arrive together each import the modules, which Python does once.
    for point in metadata.entry_points(group=GROUP, name=registry_name):
        found = _failures.setdefault(registry_name, {})
        if point.value in found:
            continue
        try:
            point.load()
        except Exception as error:
            distribution = point.dist.name if point.dist is not None else "(unknown)"
            failure = Failure(point.module, distribution, error, tuple(point.extras))
            found[point.value] = failure
            warnings.warn(f"{registry_name} registry: {failure}", stacklevel=2)
    _done.add(registry_name)


def failures(registry_name: str) -> list[Failure]:
    """Return the modules advertised for a registry that could not be imported."""
    return list(_failures.get(registry_name, {}).values())


def import_scope(scope: str) -> None:
    """Import the module ``<scope>.registry``, if it exists.

    Downstream libraries define the registries of their scope there.

    Raises:
        ImportError: The module exists but fails to import.
    """
    if scope.isidentifier() and _exists(f"{scope}.registry"):
        importlib.import_module(f"{scope}.registry")


def register_all_modules(scope: str) -> None:
    """Call ``register_all_modules`` of a library of the OpenMMLab family.

    It is asked not to change the default scope. A library that is not installed is reported by a
    warning.

    Raises:
        Exception: Errors of the library.
    """
    module = f"{scope}.utils"
    if not _exists(module):
        warnings.warn(
            f"the scope {scope!r} has no module {module}: its package is not installed, or does "
            "not have that module",
            stacklevel=2,
        )
        return
    register = getattr(importlib.import_module(module), "register_all_modules", None)
    if register is not None:
        register(False)


def import_object(path: str) -> object | None:
    """Return the object at a full dotted path, ``None`` if it does not exist.

    Args:
        path: Module and attributes, such as ``torch.optim.SGD`` or ``package.Class.method``.

    Raises:
        Exception: Errors of the module while it is imported.
    """
    parts = path.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        return None
    for end in range(len(parts) - 1, 0, -1):
        if _exists(".".join(parts[:end])):
            found: object = importlib.import_module(".".join(parts[:end]))
            for name in parts[end:]:
                if not hasattr(found, name):
                    return None
                found = getattr(found, name)
            return found
    return None


def _exists(module: str) -> bool:
    if sys.modules.get(module) is not None:  # also one inserted by hand, without a spec
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError as error:
        # The parent is missing or not a package; any other missing module is an error inside it.
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            return False
        raise
    except ValueError:  # the parent has no spec
        return False
