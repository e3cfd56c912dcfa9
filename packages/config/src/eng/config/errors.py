"""Where values come from, and what is wrong with them."""

from __future__ import annotations

from typing import NamedTuple


class Origin(NamedTuple):
    """Where a value comes from: a file with a line, where it is known, or code."""

    file: str | None
    line: int | None = None

    def __str__(self) -> str:
        if self.file is None:
            return "set by code or on the command line"
        return self.file if self.line is None else f"{self.file}:{self.line}"


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
