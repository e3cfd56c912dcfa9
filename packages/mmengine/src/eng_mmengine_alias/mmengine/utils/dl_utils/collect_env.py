"""Names of mmengine.utils.dl_utils.collect_env, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.device import is_cuda_available as is_cuda_available
    from eng.device import is_musa_available as is_musa_available
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.dl_utils import collect_env as collect_env
    from eng.dl_utils.parrots_wrapper import get_build_config as get_build_config
    from eng.dl_utils.parrots_wrapper import is_rocm_pytorch as is_rocm_pytorch

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.device": "is_cuda_available is_musa_available",
        "eng.dl_utils": "TORCH_VERSION collect_env",
        "eng.dl_utils.parrots_wrapper": "get_build_config is_rocm_pytorch",
    },
)
