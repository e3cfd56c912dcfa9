"""Python, YAML, JSON and TOML config files with inheritance."""

from typing import TYPE_CHECKING

from .action import DictAction
from .arguments import add_config_arguments, config_from_arguments
from .config import Config, read_base
from .config_dict import ConfigDict
from .difference import Difference, diff
from .errors import ConfigError, ConfigParsingError, SchemaError
from .keys import value_at
from .lazy import LazyAttr, LazyObject
from .missing import MissingKeyError
from .origins import Origin
from .package_path import resolve_package_path
from .secret_values import hide_secrets

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "Config",
    "ConfigDict",
    "ConfigError",
    "ConfigParsingError",
    "DictAction",
    "Difference",
    "LazyAttr",
    "LazyObject",
    "MissingKeyError",
    "Origin",
    "SchemaError",
    "add_config_arguments",
    "config_from_arguments",
    "diff",
    "hide_secrets",
    "read_base",
    "resolve_package_path",
    "value_at",
]
