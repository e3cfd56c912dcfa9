"""Names of mmengine.hooks.naive_visualization_hook, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import tensor2imgs as tensor2imgs
    from eng.hooks import Hook as Hook
    from eng.hooks import NaiveVisualizationHook as NaiveVisualizationHook
    from eng.registry import HOOKS as HOOKS
    from eng.utils import DataBatch as DATA_BATCH

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "tensor2imgs",
        "eng.hooks": "Hook NaiveVisualizationHook",
        "eng.registry": "HOOKS",
        "eng.utils": "DATA_BATCH=DataBatch",
    },
)
