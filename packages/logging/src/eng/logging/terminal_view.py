"""Interface of views that display records on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from logging import LogRecord
from typing import Protocol

__all__ = ["TerminalView"]


class TerminalView(Protocol):
    """Displays the records of a logger on a terminal, see :meth:`MMLogger.set_terminal_view`."""

    def show(self, record: LogRecord, format_line: Callable[[LogRecord], str]) -> None:
        """Display a record.

        Args:
            record: The record.
            format_line: Formats a record as it is printed without a view.
        """
