"""Names of mmengine.hooks.ema_hook, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import is_model_wrapper as is_model_wrapper
    from eng.hooks import EMAHook as EMAHook
    from eng.hooks import Hook as Hook
    from eng.logging import print_log as print_log
    from eng.registry import HOOKS as HOOKS
    from eng.registry import MODELS as MODELS
    from eng.utils import DataBatch as DATA_BATCH

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "is_model_wrapper",
        "eng.hooks": "EMAHook Hook",
        "eng.logging": "print_log",
        "eng.registry": "HOOKS MODELS",
        "eng.utils": "DATA_BATCH=DataBatch",
    },
)
