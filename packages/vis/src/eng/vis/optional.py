"""Packages that only some backends need."""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["require"]


def require(package: str, owner: str) -> None:
    """Check that a package of an extra is there, without importing it.

    Args:
        package: The package, whose extra has its name.
        owner: Who needs it, for the error.

    Raises:
        ModuleNotFoundError: If it is not installed.
    """
    # A module that was put there by hand has no spec, which find_spec answers with an error.
    if sys.modules.get(package) is None and find_spec(package) is None:
        raise ModuleNotFoundError(
            f"{owner} needs {package}: pip install 'eng-vis[{package}]'", name=package
        )
