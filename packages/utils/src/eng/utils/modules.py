"""Import modules by name."""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path
from types import ModuleType

__all__ = ["add_module_folders", "import_modules_from_strings"]


def add_module_folders(*folders: str | Path) -> None:
    """Let Python find modules in folders, such as that of a config, as a script can.

    They come last in ``sys.path``, so that their modules do not shadow libraries.

    Args:
        *folders: The folders. Those that are in ``sys.path`` already stay where they are.
    """
    for folder in folders:
        path = str(Path(folder).resolve())
        if path not in sys.path:
            sys.path.append(path)


def import_modules_from_strings(
    imports: list[str] | str | None, allow_failed_imports: bool = False
) -> list[ModuleType | None] | ModuleType | None:
    """Import modules by name.

    Args:
        imports: Module name, or a list of names. ``None`` and empty values import nothing.
        allow_failed_imports: Whether a failed import returns ``None`` with a warning instead of
            raising ``ImportError``.

    Returns:
        The module for a name, a list of modules for a list, ``None`` for ``None`` and empty values.

    Raises:
        TypeError: ``imports`` is neither a string nor a list of strings.
        ImportError: A module cannot be imported, and ``allow_failed_imports`` is false.

    Examples:
        >>> path, sys = import_modules_from_strings(["os.path", "sys"])
    """
    if not imports:
        return None
    if isinstance(imports, str):
        return _import(imports, allow_failed_imports)
    if not isinstance(imports, list):
        raise TypeError(
            f"custom imports must be a string or a list of strings, not {type(imports).__name__}"
        )
    for name in imports:
        if not isinstance(name, str):
            raise TypeError(f"{name!r} is of type {type(name).__name__} and cannot be imported")
    return [_import(name, allow_failed_imports) for name in imports]


def _import(name: str, allow_failure: bool) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if not allow_failure:
            raise ImportError(
                f"Failed to import {name}: {error}", name=error.name, path=error.path
            ) from error
        warnings.warn(f"{name} failed to import and is ignored: {error}", stacklevel=3)
        return None
