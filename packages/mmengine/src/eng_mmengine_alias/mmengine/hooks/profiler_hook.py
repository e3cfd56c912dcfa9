"""Names of mmengine.hooks.profiler_hook, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dist import master_only as master_only
    from eng.hooks import Hook as Hook
    from eng.hooks import ProfilerHook as ProfilerHook
    from eng.logging import print_log as print_log
    from eng.registry import HOOKS as HOOKS
    from eng.utils import DataBatch as DATA_BATCH

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dist": "master_only",
        "eng.hooks": "Hook ProfilerHook",
        "eng.logging": "print_log",
        "eng.registry": "HOOKS",
        "eng.utils": "DATA_BATCH=DataBatch",
    },
    missing={
        "NPUProfilerHook": "use ProfilerHook",
        "check_kineto": "",
    },
)
