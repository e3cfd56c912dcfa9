"""The eng command, with sub-commands of installed packages."""

from typing import TYPE_CHECKING

from .command import Command
from .find import find_commands
from .main import main

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = ["Command", "find_commands", "main"]
