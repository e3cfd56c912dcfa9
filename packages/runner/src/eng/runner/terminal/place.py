"""Find out whether output is read on a terminal, in a notebook, or from a file or pipe."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any, Literal, TypeAlias

__all__ = ["Place", "find_place", "has_color", "measure_width"]

#: Where output is displayed; ``'plain'`` is a file, a pipe, or a log of continuous integration.
Place: TypeAlias = Literal["terminal", "notebook", "plain"]

#: Characters of a line in a notebook, whose width is unknown.
_NOTEBOOK_WIDTH = 100
_LEAST_WIDTH = 40


def find_place(stream: object) -> Place:
    """Return where a stream is displayed.

    Args:
        stream: The stream. None is a process without standard output.

    Returns:
        ``'plain'`` also for a terminal where ``CI`` is set or ``TERM`` is ``dumb``.
    """
    if stream is None:
        return "plain"
    if _is_notebook_stream(stream):
        return "notebook"
    is_log = os.environ.get("CI", "").lower() not in ("", "0", "false")
    if is_log or os.environ.get("TERM") == "dumb":
        return "plain"
    try:
        return "terminal" if stream.isatty() else "plain"  # type: ignore[attr-defined]
    except (AttributeError, ValueError):  # not a file, or a closed one
        return "plain"


def has_color() -> bool:
    """Return whether colors are allowed, see https://no-color.org."""
    return not os.environ.get("NO_COLOR")


def measure_width(place: Place) -> int:
    """Return the number of characters of a line."""
    if place == "notebook":
        return _NOTEBOOK_WIDTH
    return max(_LEAST_WIDTH, shutil.get_terminal_size().columns)


def _is_notebook_stream(stream: object) -> bool:
    """Whether a stream is the output of a cell, and not a file that a cell redirects to."""
    ipython: Any = sys.modules.get("IPython")
    if ipython is None:
        return False
    shell = ipython.get_ipython()
    has_cells = any(each.__name__ == "ZMQInteractiveShell" for each in type(shell).__mro__)
    return has_cells and type(stream).__module__.startswith("ipykernel.")
