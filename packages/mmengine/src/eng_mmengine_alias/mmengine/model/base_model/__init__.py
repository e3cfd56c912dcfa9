"""Names of mmengine.model.base_model, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.model import BaseDataPreprocessor as BaseDataPreprocessor
    from eng.model import BaseModel as BaseModel
    from eng.model import ImgDataPreprocessor as ImgDataPreprocessor

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.model": "BaseDataPreprocessor BaseModel ImgDataPreprocessor",
    },
    modules="base_model data_preprocessor",
)
