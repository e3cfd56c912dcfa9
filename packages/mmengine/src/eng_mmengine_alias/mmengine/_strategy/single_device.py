"""Names of mmengine._strategy.single_device, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import get_device as get_device
    from eng.model import revert_sync_batchnorm as revert_sync_batchnorm
    from eng.optim import BaseOptimWrapper as BaseOptimWrapper
    from eng.registry import STRATEGIES as STRATEGIES
    from eng.runner import BaseStrategy as BaseStrategy
    from eng.runner import SingleDeviceStrategy as SingleDeviceStrategy
    from eng.utils import get_git_hash as get_git_hash

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "get_device",
        "eng.model": "revert_sync_batchnorm",
        "eng.optim": "BaseOptimWrapper",
        "eng.registry": "STRATEGIES",
        "eng.runner": "BaseStrategy SingleDeviceStrategy",
        "eng.utils": "get_git_hash",
    },
)
