"""Loggers, the message hub and scalar histories."""

from eng.logging.history import HistoryBuffer
from eng.logging.hub import MessageHub
from eng.logging.logger import MMLogger, print_log

__all__ = ["HistoryBuffer", "MMLogger", "MessageHub", "print_log"]
