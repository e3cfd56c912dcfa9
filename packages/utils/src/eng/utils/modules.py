"""Import modules by name."""

from __future__ import annotations

import gc
import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

__all__ = ["add_module_folders", "import_modules_from_strings", "importing"]


def add_module_folders(*folders: str | Path) -> None:
    """Let Python find modules in folders, such as that of a config, as a script can.

    They come last in ``sys.path``, so that their modules do not shadow libraries.

    Args:
        *folders: The folders. Those that are in ``sys.path`` already stay where they are.
    """
    for folder in folders:
        path = str(Path(folder).resolve())
        if sys.path.count(path) == sys.path.count(str(folder)) == 0:
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


@contextmanager
def importing() -> Iterator[None]:
    """Import large packages in less time, as no garbage is collected within the block.

    Imports leave next to none, but each collection visits all objects that they have made: with
    torch, a quarter of the time. What there is at the end of the first such block of a process is
    left out of all later collections (``gc.freeze``), which also lets forked workers share its
    memory.

    Yields:
        Nothing.

    Examples:
        >>> with importing():
        ...     import json
    """
    was_enabled, is_first = gc.isenabled(), not gc.get_freeze_count()
    if is_first:
        gc.collect()  # else its garbage would be kept
    gc.disable()
    try:
        yield
        if is_first:
            gc.freeze()
    finally:
        if was_enabled:
            gc.enable()


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
