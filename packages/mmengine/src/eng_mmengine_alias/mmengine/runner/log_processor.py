"""Names of mmengine.runner.log_processor, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import get_max_cuda_memory as get_max_cuda_memory
    from eng.device import is_cuda_available as is_cuda_available
    from eng.device import is_musa_available as is_musa_available
    from eng.registry import LOG_PROCESSORS as LOG_PROCESSORS
    from eng.runner import LogProcessor as LogProcessor

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "get_max_cuda_memory is_cuda_available is_musa_available",
        "eng.registry": "LOG_PROCESSORS",
        "eng.runner": "LogProcessor",
    },
)
