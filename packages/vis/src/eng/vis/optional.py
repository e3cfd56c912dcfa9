"""Packages that only some backends need."""

from __future__ import annotations

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
    if find_spec(package) is None:
        raise ModuleNotFoundError(
            f"{owner} needs {package}: pip install 'eng-vis[{package}]'", name=package
        )
