"""Names of mmengine.hooks.iter_timer_hook, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.hooks import Hook as Hook
    from eng.hooks import IterTimerHook as IterTimerHook
    from eng.registry import HOOKS as HOOKS
    from eng.utils import DataBatch as DATA_BATCH

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.hooks": "Hook IterTimerHook",
        "eng.registry": "HOOKS",
        "eng.utils": "DATA_BATCH=DataBatch",
    },
)
