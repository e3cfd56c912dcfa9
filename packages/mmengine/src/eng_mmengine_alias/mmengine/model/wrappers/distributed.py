"""Names of mmengine.model.wrappers.distributed, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.model import MMDistributedDataParallel as MMDistributedDataParallel
    from eng.model import detect_anomalous_params as detect_anomalous_params
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.registry import MODEL_WRAPPERS as MODEL_WRAPPERS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.model": "MMDistributedDataParallel detect_anomalous_params",
        "eng.optim": "OptimWrapper",
        "eng.registry": "MODEL_WRAPPERS",
    },
)
