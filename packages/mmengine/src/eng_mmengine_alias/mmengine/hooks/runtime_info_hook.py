"""Names of mmengine.hooks.runtime_info_hook, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.hooks import Hook as Hook
    from eng.hooks import RuntimeInfoHook as RuntimeInfoHook
    from eng.mmengine.original_version import __version__ as __version__
    from eng.registry import HOOKS as HOOKS
    from eng.utils import DataBatch as DATA_BATCH
    from eng.utils import get_git_hash as get_git_hash

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.hooks": "Hook RuntimeInfoHook",
        "eng.mmengine.original_version": "__version__",
        "eng.registry": "HOOKS",
        "eng.utils": "DATA_BATCH=DataBatch get_git_hash",
    },
)
