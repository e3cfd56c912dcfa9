"""Finding the modules of installed packages that register something."""

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
    """A module that is advertised, but cannot be imported."""

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
            return f"{text} (install the package that has the module {self.error.name!r})"
        return text


def import_advertised(registry_name: str) -> None:
    """Import every module that a distribution advertises for a registry, once a process.

    A module that fails gives a warning, and does not keep the others from being imported.

    Args:
        registry_name: Name of the root registry, which is the name of the entry points.
    """
    if registry_name in _done:
        return
    # Read late, since importlib.metadata costs more to import than all of this package.
    from importlib import metadata

    # No lock is held, since imports take locks of their own. Threads that come here together each
    # import the modules, which python does once: all of them leave with the modules complete.
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
    """Import the module ``<scope>.registry``, where there is one.

    Downstream libraries define the registries of their scope there.

    Raises:
        ImportError: The module is there but fails.
    """
    if scope.isidentifier() and _exists(f"{scope}.registry"):
        importlib.import_module(f"{scope}.registry")


def register_all_modules(scope: str) -> None:
    """Let a library of the OpenMMLab family import what it registers.

    It has a function for that, which must leave the default scope as it is. A library that is not
    installed gives a warning.

    Raises:
        Exception: Whatever the library raises meanwhile.
    """
    module = f"{scope}.utils"
    if not _exists(module):
        warnings.warn(
            f"the scope {scope!r} is that of a library that is not installed, or has no {module}",
            stacklevel=2,
        )
        return
    register = getattr(importlib.import_module(module), "register_all_modules", None)
    if register is not None:
        register(False)


def import_object(path: str) -> object | None:
    """Return the object at a full dotted path, ``None`` where there is no such thing.

    Args:
        path: Module and attributes, such as ``torch.optim.SGD`` or ``package.Class.method``.

    Raises:
        Exception: Whatever the module of that path raises while it is imported.
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
    if sys.modules.get(module) is not None:  # also one without a spec, put there by hand
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError as error:
        # The parent is no package, or is not there; anything else is a fault inside the parent.
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            return False
        raise
    except ValueError:  # the parent has no spec
        return False
