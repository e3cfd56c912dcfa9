"""Names of mmengine.logging, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.logging import HistoryBuffer as HistoryBuffer
    from eng.logging import MMLogger as MMLogger
    from eng.logging import MessageHub as MessageHub
    from eng.logging import print_log as print_log

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.logging": "HistoryBuffer MMLogger MessageHub print_log",
    },
    modules="history_buffer logger message_hub",
)
