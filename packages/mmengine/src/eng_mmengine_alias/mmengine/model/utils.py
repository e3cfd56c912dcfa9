"""Names of mmengine.model.utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import mmcv_full_available as mmcv_full_available
    from eng.logging import print_log as print_log
    from eng.model import convert_sync_batchnorm as convert_sync_batchnorm
    from eng.model import detect_anomalous_params as detect_anomalous_params
    from eng.model import merge_dict as merge_dict
    from eng.model import revert_sync_batchnorm as revert_sync_batchnorm
    from eng.model import stack_batch as stack_batch

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "mmcv_full_available",
        "eng.logging": "print_log",
        "eng.model": "convert_sync_batchnorm detect_anomalous_params merge_dict revert_sync_batchnorm stack_batch",
    },
)
