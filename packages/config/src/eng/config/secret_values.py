"""Keep values of the environment that are secret out of what is written."""

from __future__ import annotations

import re

from .types import ConfigValue

__all__ = ["has_secret", "hide_secrets", "keep_secret"]

# By value, the name of the variable that it came from. One table for the process: configs are
# copied, cut and merged, and a value that is secret in one is secret in all that is made of it.
_secrets: dict[str, str] = {}


def keep_secret(value: str, name: str) -> None:
    """Remember a value as secret.

    Args:
        value: The value.
        name: Name of the variable of the environment that holds it.
    """
    _secrets[value] = name


def has_secret(text: str) -> bool:
    """Whether a secret value stands in a text."""
    return any(value in text for value in _secrets)


def hide_secrets(value: ConfigValue) -> ConfigValue:
    """Return a value with ``{{ secret $NAME }}`` in place of each secret in its texts.

    Args:
        value: A text, or anything made of dictionaries, lists and tuples.
    """
    if not _secrets:
        return value
    if isinstance(value, str):
        return _replace(value)
    if isinstance(value, bytes):
        # Latin-1 has a character for each byte.
        return _replace(value.decode("latin-1"), of_bytes=True).encode("latin-1")
    if isinstance(value, dict):
        return {hide_secrets(key): hide_secrets(each) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(hide_secrets, value))
    return value


def _replace(text: str, of_bytes: bool = False) -> str:
    names = {
        (value.encode().decode("latin-1") if of_bytes else value): name
        for value, name in _secrets.items()
    }
    # The longest first, for a secret that is a part of another.
    found = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))
    return found.sub(lambda match: f"{{{{ secret ${names[match[0]]} }}}}", text)
