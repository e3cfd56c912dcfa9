"""Names of mmengine.optim.optimizer.apex_optimizer_wrapper, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.registry import OPTIM_WRAPPERS as OPTIM_WRAPPERS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.optim": "OptimWrapper",
        "eng.registry": "OPTIM_WRAPPERS",
    },
    missing={
        "ApexOptimWrapper": "",
    },
)
