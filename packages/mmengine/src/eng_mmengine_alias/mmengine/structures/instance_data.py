"""Names of mmengine.structures.instance_data, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import get_device as get_device
    from eng.structures import BaseDataElement as BaseDataElement
    from eng.structures import InstanceData as InstanceData

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "get_device",
        "eng.structures": "BaseDataElement InstanceData",
    },
)
