"""Names of mmengine.runner.amp, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import autocast as autocast
    from eng.device import get_device as get_device
    from eng.device import is_cuda_available as is_cuda_available
    from eng.device import is_mlu_available as is_mlu_available
    from eng.device import is_npu_available as is_npu_available
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.logging import print_log as print_log
    from eng.utils import digit_version as digit_version

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "autocast get_device is_cuda_available is_mlu_available is_npu_available",
        "eng.dl_utils": "TORCH_VERSION",
        "eng.logging": "print_log",
        "eng.utils": "digit_version",
    },
)
