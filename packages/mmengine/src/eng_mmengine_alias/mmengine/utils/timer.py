"""Names of mmengine.utils.timer, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.utils import Timer as Timer
    from eng.utils import TimerError as TimerError
    from eng.utils import check_time as check_time

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.utils": "Timer TimerError check_time",
    },
)
