"""Point out variables in the syntax of a shell, which configs do not substitute."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable

from .origins import Origin
from .types import ConfigValue

__all__ = ["hint_at_shell_variables"]

_SHELL = re.compile(r"\$\{(?P<name>[A-Za-z_]\w*)(?::?-(?P<default>[^{}]*))?\}")


def hint_at_shell_variables(
    values: dict[str, ConfigValue], find_origin: Callable[[str], Origin]
) -> None:
    """Warn once of strings with ``${NAME}``, where the name is that of an environment variable.

    Args:
        values: Values of a config, as plain dictionaries.
        find_origin: Function that returns the origin of a key.
    """
    waiting: list[tuple[str, object]] = [("", values)]
    seen: set[int] = set()
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, str):
            for match in _SHELL.finditer(value):
                name = match["name"]
                if name in os.environ or name.isupper():
                    _warn(key, match, find_origin(key))
                    return
        elif isinstance(value, (dict, list, tuple)) and id(value) not in seen:
            seen.add(id(value))
            items = value.items() if isinstance(value, dict) else enumerate(value)
            inner = [(f"{key}.{part}" if key else str(part), each) for part, each in items]
            waiting += reversed(inner)  # the first is told


def _warn(key: str, match: re.Match[str], origin: Origin) -> None:
    default = f":{match['default']}" if match["default"] else ""
    warnings.warn_explicit(
        f"{key}: {match[0]} is not substituted; an environment variable is written as "
        f"{{{{ ${match['name']}{default} }}}}",
        UserWarning,
        origin.file or "<config>",
        origin.line or 1,
    )
