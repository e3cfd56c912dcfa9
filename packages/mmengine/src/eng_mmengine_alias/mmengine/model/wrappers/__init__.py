"""Names of mmengine.model.wrappers, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.dl_utils import is_model_wrapper as is_model_wrapper
    from eng.model import MMDistributedDataParallel as MMDistributedDataParallel
    from eng.model import MMFullyShardedDataParallel as MMFullyShardedDataParallel
    from eng.model import MMSeparateDistributedDataParallel as MMSeparateDistributedDataParallel
    from eng.utils import digit_version as digit_version

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "TORCH_VERSION is_model_wrapper",
        "eng.model": "MMDistributedDataParallel MMFullyShardedDataParallel MMSeparateDistributedDataParallel",
        "eng.utils": "digit_version",
    },
    modules="distributed fully_sharded_distributed seperate_distributed utils",
)
