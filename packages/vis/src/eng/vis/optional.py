"""Check for optional packages."""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["require"]


def require(package: str, owner: str, extra: str | None = None) -> None:
    """Check that an optional package is installed, without importing it.

    Args:
        package: The import name of the package.
        owner: Class that needs it, for the error.
        extra: The extra, named like the distribution. Defaults to None, the import name.

    Raises:
        ModuleNotFoundError: If it is not installed.
    """
    # find_spec raises for a module in sys.modules that has no spec, such as a stand-in of a test.
    if sys.modules.get(package) is None and find_spec(package) is None:
        name = extra or package
        raise ModuleNotFoundError(
            f'{owner} needs {package}. Please run "pip install {name}" to install {name}, or '
            f"pip install 'eng-vis[{name}]'",
            name=package,
        )
