"""Names of mmengine._strategy.fsdp, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import Config as Config
    from eng.config import ConfigDict as ConfigDict
    from eng.device import get_device as get_device
    from eng.dist import get_rank as get_rank
    from eng.dist import is_main_process as is_main_process
    from eng.dl_utils import is_model_wrapper as is_model_wrapper
    from eng.model import BaseDataPreprocessor as BaseDataPreprocessor
    from eng.optim import AmpOptimWrapper as AmpOptimWrapper
    from eng.optim import BaseOptimWrapper as BaseOptimWrapper
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.optim import OptimWrapperDict as OptimWrapperDict
    from eng.optim import build_optim_wrapper as build_optim_wrapper
    from eng.registry import FUNCTIONS as FUNCTIONS
    from eng.registry import MODEL_WRAPPERS as MODEL_WRAPPERS
    from eng.registry import OPTIM_WRAPPERS as OPTIM_WRAPPERS
    from eng.registry import PARAM_SCHEDULERS as PARAM_SCHEDULERS
    from eng.registry import Registry as Registry
    from eng.registry import STRATEGIES as STRATEGIES
    from eng.runner import FSDPStrategy as FSDPStrategy
    from eng.utils import get_git_hash as get_git_hash
    from eng.utils import mkdir_or_exist as mkdir_or_exist

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "Config ConfigDict",
        "eng.device": "get_device",
        "eng.dist": "get_rank is_main_process",
        "eng.dl_utils": "is_model_wrapper",
        "eng.model": "BaseDataPreprocessor",
        "eng.optim": "AmpOptimWrapper BaseOptimWrapper OptimWrapper OptimWrapperDict build_optim_wrapper",
        "eng.registry": "FUNCTIONS MODEL_WRAPPERS OPTIM_WRAPPERS PARAM_SCHEDULERS Registry STRATEGIES",
        "eng.runner": "FSDPStrategy",
        "eng.utils": "get_git_hash mkdir_or_exist",
    },
)
