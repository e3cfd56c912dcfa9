"""Names of mmengine.model.wrappers.fully_sharded_distributed, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.model import MMFullyShardedDataParallel as MMFullyShardedDataParallel
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.registry import FUNCTIONS as FUNCTIONS
    from eng.registry import MODEL_WRAPPERS as MODEL_WRAPPERS
    from eng.structures import BaseDataElement as BaseDataElement
    from eng.utils import digit_version as digit_version
    from eng.utils import is_seq_of as is_seq_of

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.model": "MMFullyShardedDataParallel",
        "eng.optim": "OptimWrapper",
        "eng.registry": "FUNCTIONS MODEL_WRAPPERS",
        "eng.structures": "BaseDataElement",
        "eng.utils": "digit_version is_seq_of",
    },
)
