"""Keys of configs: reserved ones, and values by dotted key."""

from __future__ import annotations

from .types import ConfigValue

__all__ = ["BASE", "DELETE", "DEPRECATION", "FORMATS", "RESERVED", "SCOPE", "value_at"]

#: Names the files that a config builds on.
BASE = "_base_"
#: Whether a dictionary takes the place of that of the base, instead of being merged into it.
DELETE = "_delete_"
#: What a deprecated file says of the one to use instead.
DEPRECATION = "_deprecation_"
#: Scope that a dictionary with a type is built in.
SCOPE = "_scope_"
#: Endings of config files.
FORMATS = (".py", ".yaml", ".yml", ".json")
#: Attributes of :class:`Config`, which can't be keys as well.
RESERVED = ("filename", "text", "pretty_text", "env_variables")


def value_at(values: ConfigValue, key: str) -> ConfigValue:
    """Return the value at a dotted key.

    Args:
        values: A config, or anything made of dictionaries and lists.
        key: Keys joined by dots; indices lead into lists and tuples, as in ``"hooks.0.type"``.

    Raises:
        KeyError: There is no such value.

    Examples:
        >>> value_at({"hooks": [{"type": "EMAHook"}]}, "hooks.0.type")
        'EMAHook'
    """
    for part in key.split("."):
        try:
            values = values[int(part)] if isinstance(values, (list, tuple)) else values[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise KeyError(f"there is no key {key!r}: {part!r} is missing") from None
    return values
