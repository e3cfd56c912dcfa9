"""Names of mmengine.structures.label_data, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.structures import BaseDataElement as BaseDataElement
    from eng.structures import LabelData as LabelData

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.structures": "BaseDataElement LabelData",
    },
)
