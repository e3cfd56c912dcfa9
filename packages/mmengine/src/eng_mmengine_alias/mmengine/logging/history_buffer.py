"""Names of mmengine.logging.history_buffer, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.logging import HistoryBuffer as HistoryBuffer

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.logging": "HistoryBuffer",
    },
)
