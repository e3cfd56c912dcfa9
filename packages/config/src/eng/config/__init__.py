"""Python, YAML and JSON config files with inheritance."""

from typing import TYPE_CHECKING

from eng.config.action import DictAction
from eng.config.config import Config, Difference, diff
from eng.config.config_dict import ConfigDict
from eng.config.errors import ConfigError, Origin
from eng.config.path import value_at

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "Config",
    "ConfigDict",
    "ConfigError",
    "DictAction",
    "Difference",
    "Origin",
    "diff",
    "value_at",
]
