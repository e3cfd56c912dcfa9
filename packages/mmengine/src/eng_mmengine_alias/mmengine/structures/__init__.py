"""Names of mmengine.structures, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.structures import BaseDataElement as BaseDataElement
    from eng.structures import InstanceData as InstanceData
    from eng.structures import LabelData as LabelData
    from eng.structures import PixelData as PixelData

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.structures": "BaseDataElement InstanceData LabelData PixelData",
    },
    modules="base_data_element instance_data label_data pixel_data",
)
