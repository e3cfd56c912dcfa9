"""Keep secret values of environment variables out of dumps and logs."""

from __future__ import annotations

import re

from .types import ConfigValue

__all__ = ["has_secret", "hide_secrets", "keep_secret"]

# Name of the environment variable of each secret value. One table for the process: configs are
# copied, split and merged, and a value that is secret in one is secret in all derived from it.
_secrets: dict[str, str] = {}


def keep_secret(value: str, name: str) -> None:
    """Register a value as secret.

    Args:
        value: The value.
        name: Name of its environment variable.
    """
    _secrets[value] = name


def has_secret(text: str) -> bool:
    """Return whether a text contains a secret value."""
    return any(value in text for value in _secrets)


def hide_secrets(value: ConfigValue) -> ConfigValue:
    """Replace secrets in the strings of a value by ``{{ secret $NAME }}``.

    Args:
        value: A string, or nested dictionaries, lists and tuples.
    """
    if not _secrets:
        return value
    if isinstance(value, str):
        return _replace(value)
    if isinstance(value, bytes):
        # Latin-1 maps each byte to a character.
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
    # The longest first, since a secret may be part of another.
    found = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))
    return found.sub(lambda match: f"{{{{ secret ${names[match[0]]} }}}}", text)
