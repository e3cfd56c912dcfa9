"""Names of mmengine.runner.utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import is_cuda_available as is_cuda_available
    from eng.device import is_musa_available as is_musa_available
    from eng.dist import get_rank as get_rank
    from eng.dist import sync_random_seed as sync_random_seed
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.logging import print_log as print_log
    from eng.runner import calc_dynamic_intervals as calc_dynamic_intervals
    from eng.runner import set_random_seed as set_random_seed
    from eng.runner.older_names import _get_batch_size as _get_batch_size
    from eng.utils import digit_version as digit_version
    from eng.utils import is_list_of as is_list_of

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "is_cuda_available is_musa_available",
        "eng.dist": "get_rank sync_random_seed",
        "eng.dl_utils": "TORCH_VERSION",
        "eng.logging": "print_log",
        "eng.runner": "calc_dynamic_intervals set_random_seed",
        "eng.runner.older_names": "_get_batch_size",
        "eng.utils": "digit_version is_list_of",
    },
)
