"""Python, YAML, JSON and TOML config files with inheritance.

Modules are imported on first access to one of their names, so that the ``eng`` command lists its
subcommands at once.
"""

from typing import TYPE_CHECKING

from eng.utils import lazy_modules

if TYPE_CHECKING:
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

__getattr__, __dir__ = lazy_modules(
    __name__,
    {
        ".action": ("DictAction",),
        ".arguments": ("add_config_arguments", "config_from_arguments"),
        ".config": ("Config", "read_base"),
        ".config_dict": ("ConfigDict",),
        ".difference": ("Difference", "diff"),
        ".errors": ("ConfigError", "ConfigParsingError", "SchemaError"),
        ".keys": ("value_at",),
        ".lazy": ("LazyAttr", "LazyObject"),
        ".missing": ("MissingKeyError",),
        ".origins": ("Origin",),
        ".package_path": ("resolve_package_path",),
        ".secret_values": ("hide_secrets",),
    },
)
