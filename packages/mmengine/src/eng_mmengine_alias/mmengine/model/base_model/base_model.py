"""Names of mmengine.model.base_model.base_model, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.model import BaseDataPreprocessor as BaseDataPreprocessor
    from eng.model import BaseModel as BaseModel
    from eng.model import BaseModule as BaseModule
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.registry import MODELS as MODELS
    from eng.utils import is_list_of as is_list_of

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.model": "BaseDataPreprocessor BaseModel BaseModule",
        "eng.optim": "OptimWrapper",
        "eng.registry": "MODELS",
        "eng.utils": "is_list_of",
    },
)
