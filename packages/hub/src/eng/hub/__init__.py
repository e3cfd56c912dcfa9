"""Configs and models out of installed packages."""

from typing import TYPE_CHECKING

from .hub import get_config, get_model

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = ["get_config", "get_model"]
