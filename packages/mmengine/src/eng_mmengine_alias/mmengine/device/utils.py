"""Names of mmengine.device.utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import get_device as get_device
    from eng.device import get_max_cuda_memory as get_max_cuda_memory
    from eng.device import get_max_musa_memory as get_max_musa_memory
    from eng.device import is_cuda_available as is_cuda_available
    from eng.device import is_dipu_available as is_dipu_available
    from eng.device import is_mlu_available as is_mlu_available
    from eng.device import is_mps_available as is_mps_available
    from eng.device import is_musa_available as is_musa_available
    from eng.device import is_npu_available as is_npu_available
    from eng.device import is_npu_support_full_precision as is_npu_support_full_precision

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "get_device get_max_cuda_memory get_max_musa_memory is_cuda_available is_dipu_available is_mlu_available is_mps_available is_musa_available is_npu_available is_npu_support_full_precision",
    },
    missing={
        "DEVICE": "ask eng.device.get_device()",
        "IS_DIPU_AVAILABLE": "",
        "IS_MLU_AVAILABLE": "ask eng.device.is_mlu_available()",
        "IS_MUSA_AVAILABLE": "",
        "IS_NPU_AVAILABLE": "ask eng.device.is_npu_available()",
    },
)
