"""Display of a run: short lines, a progress bar, and what is printed above it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from logging import LogRecord
from typing import Any

from eng.logging import MMLogger

from ..log_line import LogLine
from ..types import Settings
from .bar import Bar
from .lines import format_record
from .place import Place, find_place, has_color, measure_width
from .streams import bare_stream

__all__ = ["View", "open_view"]


def open_view(logger: object, rank: int, cfg: Settings) -> View | None:
    """Let a view display what a logger prints, if this process has a terminal or notebook.

    Args:
        logger: The logger of a run.
        rank: Rank of the process: that of rank 0 alone has a view.
        cfg: The config of the run, whose ``progress_bar`` may be False.

    Returns:
        The view; None where lines stay as they are in files, and for levels above INFO.
    """
    place = find_place(bare_stream(sys.stdout))
    if place == "plain" or rank or not isinstance(logger, MMLogger):
        return None
    if logger.level > logging.INFO:  # the run should be quiet
        return None
    view = View(place, logger.level <= logging.DEBUG, cfg.get("progress_bar", True))
    logger.set_terminal_view(view)
    return view


class View:
    """Displays the records of a run, and a progress bar below them.

    A record with the attribute ``terminal_text`` is displayed as that text, and not at all if it is
    empty, such as the config: files have the whole.

    Args:
        place: ``'terminal'`` or ``'notebook'``.
        shows_all: Whether records without a text for the terminal are displayed whole.
        wants_bar: Whether there is a progress bar, if the library for it is installed.
    """

    def __init__(self, place: Place, shows_all: bool, wants_bar: bool) -> None:
        self.place = place
        self._shows_all = shows_all
        self._pid = os.getpid()
        has_bar = wants_bar and Bar.is_available()
        self.bar = Bar(place, bare_stream(sys.stdout)) if has_bar else None
        #: Numbers of the latest line of training.
        self.scalars: Mapping[str, Any] = {}

    @property
    def width(self) -> int:
        """Characters of a line."""
        return measure_width(self.place)

    @property
    def has_color(self) -> bool:
        """Whether colors are allowed."""
        return has_color()

    def show(self, record: LogRecord, format_line: Callable[[LogRecord], str]) -> None:
        """Display a record, see :class:`eng.logging.TerminalView`."""
        stream = bare_stream(sys.stdout)
        if stream is None:
            return
        is_here = os.getpid() == self._pid and find_place(stream) == self.place
        if not is_here:  # a worker, or output that is redirected to a file meanwhile
            stream.write(f"{format_line(record)}\n")
            stream.flush()
            return
        line = record.msg
        has_bar = self.bar is not None and self.bar.is_open
        if isinstance(line, LogLine):
            if line.mode == "train":
                self.scalars = line.scalars
            elif line.is_end or has_bar:  # displayed as a table, or by the bar
                return
        elif getattr(record, "terminal_text", None) == "":
            if self._shows_all:
                self.print(format_line(record))
            return
        self.print(self._format(record, format_line, has_bar))

    def print(self, text: str) -> None:
        """Print lines above the progress bar."""
        try:
            self._print(text)
        except UnicodeEncodeError:
            self._print(text.encode("ascii", "backslashreplace").decode("ascii"))
        except (OSError, ValueError):
            # The terminal was closed: training does not depend on it, and the log is in the file.
            self.close()

    def close(self) -> None:
        """Remove the progress bar."""
        if self.bar is not None:
            self.bar.close()

    def _print(self, text: str) -> None:
        stream = bare_stream(sys.stdout)
        if self.bar is not None:
            self.bar.print_line(text, stream)
        elif stream is not None:
            stream.write(f"{text}\n")
            stream.flush()

    def _format(
        self, record: LogRecord, format_line: Callable[[LogRecord], str], has_bar: bool
    ) -> str:
        if record.exc_info or record.levelno >= logging.ERROR:
            return format_line(record)  # with its place in the code
        return format_record(record, self.width, self.has_color, has_bar)
