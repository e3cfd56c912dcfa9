"""Names of mmengine.utils.dl_utils.misc, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import has_batch_norm as has_batch_norm
    from eng.dl_utils import is_norm as is_norm
    from eng.dl_utils import mmcv_full_available as mmcv_full_available
    from eng.dl_utils import tensor2imgs as tensor2imgs
    from eng.utils import is_tuple_of as is_tuple_of

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "has_batch_norm is_norm mmcv_full_available tensor2imgs",
        "eng.utils": "is_tuple_of",
    },
)
