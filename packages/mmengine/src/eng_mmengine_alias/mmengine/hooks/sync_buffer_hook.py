"""Names of mmengine.hooks.sync_buffer_hook, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dist import all_reduce_params as all_reduce_params
    from eng.dist import is_distributed as is_distributed
    from eng.hooks import Hook as Hook
    from eng.hooks import SyncBuffersHook as SyncBuffersHook
    from eng.registry import HOOKS as HOOKS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dist": "all_reduce_params is_distributed",
        "eng.hooks": "Hook SyncBuffersHook",
        "eng.registry": "HOOKS",
    },
)
