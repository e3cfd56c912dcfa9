"""Names of mmengine.utils.progressbar_rich, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.utils import track_progress_rich as track_progress_rich

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.utils": "track_progress_rich",
    },
)
