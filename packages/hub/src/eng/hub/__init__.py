"""Configs and models of installed packages."""

from typing import TYPE_CHECKING

from eng.utils import MODULE2PACKAGE

from .hub import get_config, get_model
from .metafiles import find_model_folder, list_metafile_models, names_of_model

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "MODULE2PACKAGE",
    "find_model_folder",
    "get_config",
    "get_model",
    "list_metafile_models",
    "names_of_model",
]
