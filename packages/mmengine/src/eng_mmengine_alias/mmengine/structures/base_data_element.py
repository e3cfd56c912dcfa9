"""Names of mmengine.structures.base_data_element, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.structures import BaseDataElement as BaseDataElement

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.structures": "BaseDataElement",
    },
)
