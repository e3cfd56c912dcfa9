"""Format records of the log for the width of a terminal."""

from __future__ import annotations

import datetime
import logging
import re
import textwrap
import time
from collections.abc import Iterator
from logging import LogRecord

from ..log_line import LogLine

__all__ = ["color", "format_loop_line", "format_number", "format_record"]

_COLORS = {logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "1;31"}
_POSITION = re.compile(r"\w+\((?P<mode>\w+)\)\s*(?P<position>(\[[^]]*\])+)")
_ETA = re.compile(r"eta: (?P<eta>.*?)(  |$)")
_INDENT = 9  # of the time


def format_record(record: LogRecord, width: int, has_color: bool, has_bar: bool) -> str:
    """Format a record with the time and, unless it is INFO, the level.

    Args:
        record: The record.
        width: Characters of a line.
        has_color: Whether colors are allowed.
        has_bar: Whether a progress bar shows the remaining time.

    Returns:
        Lines, without a line break at the end.
    """
    moment = time.strftime("%H:%M:%S", time.localtime(record.created))
    if isinstance(record.msg, LogLine):
        text = format_loop_line(record.msg, width - _INDENT, has_bar)
    else:
        text = str(getattr(record, "terminal_text", None) or record.getMessage())
    level = "" if record.levelno == logging.INFO else record.levelname
    first, *rest = _wrap(f"{level} {text}" if level else text, width)
    if level and level in first:
        code = _COLORS.get(record.levelno, "36")
        first = first.replace(level, color(level, code, has_color), 1)
    return "\n".join([f"{color(moment, '2', has_color)} {first}", *rest])


def format_loop_line(line: LogLine, width: int, has_bar: bool) -> str:
    """Format the numbers of a loop, as many as fit.

    Args:
        line: The line.
        width: Characters of a line.
        has_bar: Whether a progress bar shows the remaining time.

    Returns:
        One line: losses first, then learning rates, other scalars and times.
    """
    found = _POSITION.match(line)
    text = f"{found['mode']} {found['position']}" if found else line.mode
    for part in _format_parts(line, has_bar):
        if len(text) + 2 + len(part) <= width:
            text += f"  {part}"
    return text


def format_number(value: float) -> str:
    """Format a number with four digits after the point, or four significant ones."""
    size = abs(value)
    return f"{value:.4f}" if 1e-3 <= size < 1e5 or size == 0 else f"{value:.3e}"


def color(text: str, code: str, has_color: bool) -> str:
    """Return a text in a color of the terminal."""
    return f"\033[{code}m{text}\033[0m" if has_color else text


def _format_parts(line: LogLine, has_bar: bool) -> Iterator[str]:
    scalars = line.scalars
    numbers = {name: each for name, each in scalars.items() if isinstance(each, (int, float))}
    if line.mode == "train":  # within an evaluation, its metrics are those of the last one
        rates = [name for name in numbers if name.endswith("lr")]
        losses = sorted((n for n in numbers if "loss" in n), key=lambda name: name != "loss")
        hidden = {"time", "data_time", "epoch", "iter", "memory", *rates, *losses}
        others = [name for name in numbers if name not in hidden]
        yield from (f"{name} {format_number(numbers[name])}" for name in losses)
        yield from (f"{name} {numbers[name]:.2e}" for name in rates)
        yield from (f"{name} {format_number(numbers[name])}" for name in others)
    if "time" in numbers:
        yield f"{_format_seconds(numbers['time'])}/iter"
    if "memory" in numbers:
        yield f"{numbers['memory'] / 1024:.1f}GB"
    eta = None if has_bar else _ETA.search(line)
    if eta:
        yield f"eta {eta['eta']}"


def _format_seconds(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.1f}ms"
    return f"{seconds:.2f}s" if seconds < 100 else str(datetime.timedelta(seconds=int(seconds)))


def _wrap(text: str, width: int) -> list[str]:
    """Wrap the lines of a text at blanks, but not paths, below their beginning."""
    lines: list[str] = []
    for line in text.rstrip().splitlines() or [""]:
        indent = " " * _INDENT if not lines else ""
        wrapped = textwrap.wrap(
            line,
            width - 1,
            initial_indent=indent,
            subsequent_indent=" " * _INDENT + line[: len(line) - len(line.lstrip())],
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
            drop_whitespace=True,
        )
        lines += wrapped or [""]
    return [lines[0][_INDENT:], *lines[1:]]
