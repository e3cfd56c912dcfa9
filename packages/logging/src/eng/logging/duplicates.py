"""Filter repeated warnings."""

import logging
from logging import LogRecord

from eng.utils import override

__all__ = ["FilterDuplicateWarning"]

_MOST_SEEN = 10000


class FilterDuplicateWarning(logging.Filter):
    """Passes each distinct warning once, and all other records.

    Args:
        name: Name of the filter.

    Attributes:
        seen: Levels and texts of the warnings that have passed.
    """

    def __init__(self, name: str = "mmengine") -> None:
        super().__init__(name)
        self.seen: set[tuple[int, str]] = set()

    @override
    def filter(self, record: LogRecord) -> bool:
        return record.levelno != logging.WARNING or self.is_new(record)

    def is_new(self, record: LogRecord) -> bool:
        """Return whether a record with this level and text is new, and remember it."""
        key = (record.levelno, record.getMessage())
        is_new = key not in self.seen
        if len(self.seen) == _MOST_SEEN:  # warnings with changing numbers in them
            self.seen.clear()
        self.seen.add(key)
        return is_new
