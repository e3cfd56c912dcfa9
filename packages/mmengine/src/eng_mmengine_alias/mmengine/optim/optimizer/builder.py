"""Names of mmengine.optim.optimizer.builder, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import Config as Config
    from eng.config import ConfigDict as ConfigDict
    from eng.device import is_npu_available as is_npu_available
    from eng.device import is_npu_support_full_precision as is_npu_support_full_precision
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.optim import TORCH_OPTIMIZERS as TORCH_OPTIMIZERS
    from eng.optim import build_optim_wrapper as build_optim_wrapper
    from eng.optim.optimizer.foreign import BITSANDBYTES_OPTIMIZERS as BITSANDBYTES_OPTIMIZERS
    from eng.optim.optimizer.foreign import DADAPTATION_OPTIMIZERS as DADAPTATION_OPTIMIZERS
    from eng.optim.optimizer.foreign import LION_OPTIMIZERS as LION_OPTIMIZERS
    from eng.optim.optimizer.foreign import SOPHIA_OPTIMIZERS as SOPHIA_OPTIMIZERS
    from eng.optim.optimizer.foreign import TRANSFORMERS_OPTIMIZERS as TRANSFORMERS_OPTIMIZERS
    from eng.registry import OPTIMIZERS as OPTIMIZERS
    from eng.registry import OPTIM_WRAPPER_CONSTRUCTORS as OPTIM_WRAPPER_CONSTRUCTORS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "Config ConfigDict",
        "eng.device": "is_npu_available is_npu_support_full_precision",
        "eng.optim": "OptimWrapper TORCH_OPTIMIZERS build_optim_wrapper",
        "eng.optim.optimizer.foreign": "BITSANDBYTES_OPTIMIZERS DADAPTATION_OPTIMIZERS LION_OPTIMIZERS SOPHIA_OPTIMIZERS TRANSFORMERS_OPTIMIZERS",
        "eng.registry": "OPTIMIZERS OPTIM_WRAPPER_CONSTRUCTORS",
    },
    missing={
        "NPU_OPTIMIZERS": "",
        "register_bitsandbytes_optimizers": "no call is needed: OPTIMIZERS finds them by name",
        "register_dadaptation_optimizers": "no call is needed: OPTIMIZERS finds them by name",
        "register_lion_optimizers": "no call is needed: OPTIMIZERS finds them by name",
        "register_sophia_optimizers": "no call is needed: OPTIMIZERS finds them by name",
        "register_torch_npu_optimizers": "",
        "register_torch_optimizers": "no call is needed: OPTIMIZERS finds them by name",
        "register_transformers_optimizers": "no call is needed: OPTIMIZERS finds them by name",
    },
)
