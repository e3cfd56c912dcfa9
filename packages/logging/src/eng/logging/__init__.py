"""Loggers, the message hub and scalar histories."""

from typing import TYPE_CHECKING

from eng.logging.duplicates import FilterDuplicateWarning
from eng.logging.history import HistoryBuffer
from eng.logging.hub import MessageHub
from eng.logging.logger import MMLogger, print_log

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = ["FilterDuplicateWarning", "HistoryBuffer", "MMLogger", "MessageHub", "print_log"]
