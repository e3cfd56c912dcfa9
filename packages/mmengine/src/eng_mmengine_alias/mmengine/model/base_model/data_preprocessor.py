"""Names of mmengine.model.base_model.data_preprocessor, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.model import BaseDataPreprocessor as BaseDataPreprocessor
    from eng.model import ImgDataPreprocessor as ImgDataPreprocessor
    from eng.model import stack_batch as stack_batch
    from eng.registry import MODELS as MODELS
    from eng.structures import BaseDataElement as BaseDataElement
    from eng.utils import is_seq_of as is_seq_of

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.model": "BaseDataPreprocessor ImgDataPreprocessor stack_batch",
        "eng.registry": "MODELS",
        "eng.structures": "BaseDataElement",
        "eng.utils": "is_seq_of",
    },
)
