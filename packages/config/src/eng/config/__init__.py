"""Python, YAML and JSON config files with inheritance."""

from eng.config.action import DictAction
from eng.config.config import Config, Difference, diff
from eng.config.config_dict import ConfigDict
from eng.config.errors import ConfigError, Origin
from eng.config.path import value_at

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
