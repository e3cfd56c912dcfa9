"""Leave out warnings that were shown before."""

import logging
from logging import LogRecord

from eng.utils import override

__all__ = ["FilterDuplicateWarning"]

_MOST_SEEN = 10000


class FilterDuplicateWarning(logging.Filter):
    """Lets each distinct warning pass once, and everything else each time.

    Args:
        name: Name of the filter.

    Attributes:
        seen: Warnings that have passed: their levels and texts.
    """

    def __init__(self, name: str = "mmengine") -> None:
        super().__init__(name)
        self.seen: set[tuple[int, str]] = set()

    @override
    def filter(self, record: LogRecord) -> bool:
        """Whether a record passes."""
        return record.levelno != logging.WARNING or self.is_new(record)

    def is_new(self, record: LogRecord) -> bool:
        """Whether no record of that level and text was seen; it is from now on."""
        key = (record.levelno, record.getMessage())
        is_new = key not in self.seen
        if len(self.seen) == _MOST_SEEN:  # warnings with ever new numbers in them
            self.seen.clear()
        self.seen.add(key)
        return is_new
