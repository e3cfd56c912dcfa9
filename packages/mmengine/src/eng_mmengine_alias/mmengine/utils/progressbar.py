"""Names of mmengine.utils.progressbar, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.utils import ProgressBar as ProgressBar
    from eng.utils import Timer as Timer
    from eng.utils import init_pool as init_pool
    from eng.utils import track_iter_progress as track_iter_progress
    from eng.utils import track_parallel_progress as track_parallel_progress
    from eng.utils import track_progress as track_progress

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.utils": "ProgressBar Timer init_pool track_iter_progress track_parallel_progress track_progress",
    },
)
