"""Names of mmengine.structures.pixel_data, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.structures import BaseDataElement as BaseDataElement
    from eng.structures import PixelData as PixelData

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.structures": "BaseDataElement PixelData",
    },
)
