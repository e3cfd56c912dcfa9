"""Names of mmengine.optim.optimizer.default_constructor, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import mmcv_full_available as mmcv_full_available
    from eng.logging import print_log as print_log
    from eng.optim import DefaultOptimWrapperConstructor as DefaultOptimWrapperConstructor
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.registry import OPTIMIZERS as OPTIMIZERS
    from eng.registry import OPTIM_WRAPPERS as OPTIM_WRAPPERS
    from eng.registry import OPTIM_WRAPPER_CONSTRUCTORS as OPTIM_WRAPPER_CONSTRUCTORS
    from eng.utils import is_list_of as is_list_of

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "mmcv_full_available",
        "eng.logging": "print_log",
        "eng.optim": "DefaultOptimWrapperConstructor OptimWrapper",
        "eng.registry": "OPTIMIZERS OPTIM_WRAPPERS OPTIM_WRAPPER_CONSTRUCTORS",
        "eng.utils": "is_list_of",
    },
)
