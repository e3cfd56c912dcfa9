"""Names of mmengine.hooks.param_scheduler_hook, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.hooks import Hook as Hook
    from eng.hooks import ParamSchedulerHook as ParamSchedulerHook
    from eng.registry import HOOKS as HOOKS
    from eng.utils import DataBatch as DATA_BATCH
    from eng.utils import is_list_of as is_list_of

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.hooks": "Hook ParamSchedulerHook",
        "eng.registry": "HOOKS",
        "eng.utils": "DATA_BATCH=DataBatch is_list_of",
    },
)
