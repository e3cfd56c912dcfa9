"""Names of mmengine.optim.optimizer.zero_optimizer, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dist import is_main_process as is_main_process
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.optim import ZeroRedundancyOptimizer as ZeroRedundancyOptimizer
    from eng.registry import OPTIMIZERS as OPTIMIZERS
    from eng.utils import digit_version as digit_version

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dist": "is_main_process",
        "eng.dl_utils": "TORCH_VERSION",
        "eng.optim": "ZeroRedundancyOptimizer",
        "eng.registry": "OPTIMIZERS",
        "eng.utils": "digit_version",
    },
)
