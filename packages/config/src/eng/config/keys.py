"""Reserved keys of configs, and values by dotted key."""

from __future__ import annotations

from collections.abc import Mapping

from .missing import closest
from .types import ConfigValue

__all__ = ["BASE", "DELETE", "DEPRECATION", "FORMATS", "RESERVED", "SCOPE", "value_at"]

#: Base files of a config.
BASE = "_base_"
#: Whether a dictionary replaces that of the base instead of being merged into it.
DELETE = "_delete_"
#: Replacement of a deprecated file.
DEPRECATION = "_deprecation_"
#: Scope in which a dictionary with a type is built.
SCOPE = "_scope_"
#: Suffixes of config files.
FORMATS = (".py", ".yaml", ".yml", ".json", ".toml")
#: Attributes of :class:`Config`, which cannot be keys.
RESERVED = ("filename", "text", "pretty_text", "env_variables")


def value_at(values: ConfigValue, key: str) -> ConfigValue:
    """Return the value at a dotted key.

    Args:
        values: A config, or nested dictionaries and lists.
        key: Keys and indices of lists and tuples joined by dots, as in ``"hooks.0.type"``.

    Raises:
        KeyError: The key is missing.

    Examples:
        >>> value_at({"hooks": [{"type": "EMAHook"}]}, "hooks.0.type")
        'EMAHook'
    """
    for part in key.split("."):
        try:
            values = values[int(part)] if isinstance(values, (list, tuple)) else values[part]
        except (KeyError, IndexError, TypeError, ValueError):
            near = closest(part, values) if isinstance(values, Mapping) else ""
            raise KeyError(f"unknown key {key!r}: {part!r} is missing{near}") from None
    return values
