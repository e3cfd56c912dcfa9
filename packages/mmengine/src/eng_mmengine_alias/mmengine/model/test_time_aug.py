"""Names of mmengine.model.test_time_aug, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.model import BaseModel as BaseModel
    from eng.model import BaseTTAModel as BaseTTAModel
    from eng.registry import MODELS as MODELS
    from eng.structures import BaseDataElement as BaseDataElement

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.model": "BaseModel BaseTTAModel",
        "eng.registry": "MODELS",
        "eng.structures": "BaseDataElement",
    },
)
