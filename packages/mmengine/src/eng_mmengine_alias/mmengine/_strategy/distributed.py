"""Names of mmengine._strategy.distributed, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import get_device as get_device
    from eng.dist import init_dist as init_dist
    from eng.dist import is_distributed as is_distributed
    from eng.dist import master_only as master_only
    from eng.dl_utils import is_model_wrapper as is_model_wrapper
    from eng.model import convert_sync_batchnorm as convert_sync_batchnorm
    from eng.registry import MODEL_WRAPPERS as MODEL_WRAPPERS
    from eng.registry import STRATEGIES as STRATEGIES
    from eng.runner import DDPStrategy as DDPStrategy

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "get_device",
        "eng.dist": "init_dist is_distributed master_only",
        "eng.dl_utils": "is_model_wrapper",
        "eng.model": "convert_sync_batchnorm",
        "eng.registry": "MODEL_WRAPPERS STRATEGIES",
        "eng.runner": "DDPStrategy",
    },
)
