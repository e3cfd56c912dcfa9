"""Names of mmengine.utils.dl_utils.time_counter, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import is_cuda_available as is_cuda_available
    from eng.device import is_musa_available as is_musa_available
    from eng.dist import master_only as master_only
    from eng.dl_utils import TimeCounter as TimeCounter
    from eng.logging import MMLogger as MMLogger
    from eng.logging import print_log as print_log

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "is_cuda_available is_musa_available",
        "eng.dist": "master_only",
        "eng.dl_utils": "TimeCounter",
        "eng.logging": "MMLogger print_log",
    },
)
