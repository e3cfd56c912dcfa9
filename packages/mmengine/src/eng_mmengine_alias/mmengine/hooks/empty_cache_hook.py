"""Names of mmengine.hooks.empty_cache_hook, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import is_cuda_available as is_cuda_available
    from eng.device import is_musa_available as is_musa_available
    from eng.hooks import EmptyCacheHook as EmptyCacheHook
    from eng.hooks import Hook as Hook
    from eng.registry import HOOKS as HOOKS
    from eng.utils import DataBatch as DATA_BATCH

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "is_cuda_available is_musa_available",
        "eng.hooks": "EmptyCacheHook Hook",
        "eng.registry": "HOOKS",
        "eng.utils": "DATA_BATCH=DataBatch",
    },
)
