"""Where values come from, and what is wrong with them."""

from __future__ import annotations

from typing import NamedTuple


class Origin(NamedTuple):
    """Where a value comes from.

    Attributes:
        file: File that sets it; ``None`` where no file does.
        line: Line in the file, from 1; ``None`` where it is unknown.
        by: What sets it where no file does: ``"code"`` or ``"the command line"``.
    """

    file: str | None
    line: int | None = None
    by: str = "code"

    def __str__(self) -> str:
        if self.file is None:
            return f"set by {self.by}"
        return self.file if self.line is None else f"{self.file}:{self.line}"


CODE = Origin(None)
COMMAND_LINE = Origin(None, by="the command line")


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
