"""Names of mmengine.hooks.hook, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.hooks import Hook as Hook
    from eng.utils import DataBatch as DATA_BATCH
    from eng.utils import is_method_overridden as is_method_overridden

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.hooks": "Hook",
        "eng.utils": "DATA_BATCH=DataBatch is_method_overridden",
    },
)
