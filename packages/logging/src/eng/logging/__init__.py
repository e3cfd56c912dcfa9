"""Loggers, the message hub and scalar histories."""

from typing import TYPE_CHECKING

from .duplicates import FilterDuplicateWarning
from .history import HistoryBuffer
from .hub import MessageHub
from .logger import MMLogger, print_log
from .terminal_view import TerminalView
from .types import Scalar

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "FilterDuplicateWarning",
    "HistoryBuffer",
    "MMLogger",
    "MessageHub",
    "Scalar",
    "TerminalView",
    "print_log",
]
