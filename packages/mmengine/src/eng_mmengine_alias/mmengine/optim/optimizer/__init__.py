"""Names of mmengine.optim.optimizer, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.optim import AmpOptimWrapper as AmpOptimWrapper
    from eng.optim import BaseOptimWrapper as BaseOptimWrapper
    from eng.optim import DefaultOptimWrapperConstructor as DefaultOptimWrapperConstructor
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.optim import OptimWrapperDict as OptimWrapperDict
    from eng.optim import ZeroRedundancyOptimizer as ZeroRedundancyOptimizer
    from eng.optim import build_optim_wrapper as build_optim_wrapper
    from eng.registry import OPTIMIZERS as OPTIMIZERS
    from eng.registry import OPTIM_WRAPPER_CONSTRUCTORS as OPTIM_WRAPPER_CONSTRUCTORS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.optim": "AmpOptimWrapper BaseOptimWrapper DefaultOptimWrapperConstructor OptimWrapper OptimWrapperDict ZeroRedundancyOptimizer build_optim_wrapper",
        "eng.registry": "OPTIMIZERS OPTIM_WRAPPER_CONSTRUCTORS",
    },
    missing={
        "ApexOptimWrapper": "",
    },
    modules="amp_optimizer_wrapper apex_optimizer_wrapper base builder default_constructor optimizer_wrapper optimizer_wrapper_dict zero_optimizer",
)
