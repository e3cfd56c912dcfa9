"""Names of mmengine.optim.optimizer.amp_optimizer_wrapper, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import is_cuda_available as is_cuda_available
    from eng.device import is_mlu_available as is_mlu_available
    from eng.device import is_musa_available as is_musa_available
    from eng.device import is_npu_available as is_npu_available
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.optim import AmpOptimWrapper as AmpOptimWrapper
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.registry import OPTIM_WRAPPERS as OPTIM_WRAPPERS
    from eng.utils import digit_version as digit_version

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "is_cuda_available is_mlu_available is_musa_available is_npu_available",
        "eng.dl_utils": "TORCH_VERSION",
        "eng.optim": "AmpOptimWrapper OptimWrapper",
        "eng.registry": "OPTIM_WRAPPERS",
        "eng.utils": "digit_version",
    },
)
