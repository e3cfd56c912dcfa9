"""Names of mmengine.dataset.utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dataset import default_collate as default_collate
    from eng.dataset import pseudo_collate as pseudo_collate
    from eng.dataset import worker_init_fn as worker_init_fn
    from eng.registry import COLLATE_FUNCTIONS as COLLATE_FUNCTIONS
    from eng.registry import FUNCTIONS as FUNCTIONS
    from eng.structures import BaseDataElement as BaseDataElement

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dataset": "default_collate pseudo_collate worker_init_fn",
        "eng.registry": "COLLATE_FUNCTIONS FUNCTIONS",
        "eng.structures": "BaseDataElement",
    },
)
