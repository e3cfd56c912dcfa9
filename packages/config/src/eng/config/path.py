"""Values by dotted key."""

from __future__ import annotations

from typing import Any


def value_at(values: Any, key: str) -> Any:
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
