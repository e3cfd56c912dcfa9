"""Streams that keep printed text and a progress bar apart."""

from __future__ import annotations

from typing import Any, Protocol, TextIO

__all__ = ["AboveBar", "Hideable", "bare_stream"]


class Hideable(Protocol):
    """A progress bar that gives way to printed text."""

    def give_way(self, text: str) -> None:
        """Make room for a text that is about to be printed."""


class AboveBar:
    """A stream whose text is printed where the progress bar was, which is drawn again below it.

    Args:
        stream: The stream, whose other members it has.
        bar: The progress bar.
    """

    def __init__(self, stream: TextIO, bar: Hideable) -> None:
        self.stream = stream
        self._bar = bar

    def write(self, text: str) -> int:
        """Print a text."""
        self._bar.give_way(text)
        return self.stream.write(text)

    def writelines(self, lines: list[str]) -> None:
        """Print several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def bare_stream(stream: Any) -> Any:
    """Return a stream without what :class:`AboveBar` adds."""
    while isinstance(stream, AboveBar):
        stream = stream.stream
    return stream
