"""Packages that only some backends need."""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["require"]


def require(package: str, owner: str, extra: str | None = None) -> None:
    """Check that a package of an extra is there, without importing it.

    Args:
        package: The package, by the name that it is imported by.
        owner: Who needs it, for the error.
        extra: The extra, which has the name that it is installed by. Defaults to None, the same.

    Raises:
        ModuleNotFoundError: If it is not installed.
    """
    # A module that was put there by hand has no spec, which find_spec answers with an error.
    if sys.modules.get(package) is None and find_spec(package) is None:
        name = extra or package
        raise ModuleNotFoundError(
            f'{owner} needs {package}. Please run "pip install {name}" to install {name}, or '
            f"pip install 'eng-vis[{name}]'",
            name=package,
        )
