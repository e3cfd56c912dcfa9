"""Names of mmengine.optim.optimizer.base, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.optim import BaseOptimWrapper as BaseOptimWrapper

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.optim": "BaseOptimWrapper",
    },
)
