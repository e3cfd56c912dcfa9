"""The error for a config that cannot be loaded, merged or dumped."""

from __future__ import annotations

from .origins import Origin

__all__ = ["ConfigError"]


class ConfigError(ValueError, KeyError, TypeError):
    """A config cannot be loaded, merged or dumped; the message names the file and the line."""

    def __init__(self, message: str, origin: Origin | None = None) -> None:
        self.origin = origin
        super().__init__(f"{origin}: {message}" if origin is not None else message)

    def __str__(self) -> str:
        # KeyError would show the message in quotes.
        return str(self.args[0])

    def __reduce__(self) -> tuple[type[ConfigError], tuple[str]]:
        return (type(self), (str(self),))
