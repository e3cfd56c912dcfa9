"""Names of mmengine.optim.optimizer.optimizer_wrapper, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import has_batch_norm as has_batch_norm
    from eng.logging import MessageHub as MessageHub
    from eng.logging import print_log as print_log
    from eng.optim import BaseOptimWrapper as BaseOptimWrapper
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.registry import OPTIM_WRAPPERS as OPTIM_WRAPPERS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "has_batch_norm",
        "eng.logging": "MessageHub print_log",
        "eng.optim": "BaseOptimWrapper OptimWrapper",
        "eng.registry": "OPTIM_WRAPPERS",
    },
)
