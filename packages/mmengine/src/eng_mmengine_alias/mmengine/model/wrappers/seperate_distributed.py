"""Names of mmengine.model.wrappers.seperate_distributed, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import get_device as get_device
    from eng.model import MMDistributedDataParallel as MMDistributedDataParallel
    from eng.model import MMSeparateDistributedDataParallel as MMSeparateDistributedDataParallel
    from eng.optim import OptimWrapperDict as OptimWrapperDict
    from eng.registry import MODEL_WRAPPERS as MODEL_WRAPPERS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "get_device",
        "eng.model": "MMDistributedDataParallel MMSeparateDistributedDataParallel",
        "eng.optim": "OptimWrapperDict",
        "eng.registry": "MODEL_WRAPPERS",
    },
)
