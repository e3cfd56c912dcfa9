"""Names of mmengine._strategy.colossalai, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.checkpoint import save_checkpoint as save_checkpoint
    from eng.device import get_device as get_device
    from eng.dist import init_dist as init_dist
    from eng.dist import is_main_process as is_main_process
    from eng.fileio import join_path as join_path
    from eng.model import BaseDataPreprocessor as BaseDataPreprocessor
    from eng.optim import BaseOptimWrapper as BaseOptimWrapper
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.registry import MODEL_WRAPPERS as MODEL_WRAPPERS
    from eng.registry import OPTIMIZERS as OPTIMIZERS
    from eng.registry import OPTIM_WRAPPERS as OPTIM_WRAPPERS
    from eng.registry import Registry as Registry
    from eng.registry import STRATEGIES as STRATEGIES
    from eng.runner import BaseStrategy as BaseStrategy
    from eng.runner import ColossalAIModelWrapper as ColossalAIModelWrapper
    from eng.runner import ColossalAIOptimWrapper as ColossalAIOptimWrapper
    from eng.runner import ColossalAIStrategy as ColossalAIStrategy
    from eng.utils import get_git_hash as get_git_hash
    from eng.utils import mkdir_or_exist as mkdir_or_exist

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.checkpoint": "save_checkpoint",
        "eng.device": "get_device",
        "eng.dist": "init_dist is_main_process",
        "eng.fileio": "join_path",
        "eng.model": "BaseDataPreprocessor",
        "eng.optim": "BaseOptimWrapper OptimWrapper",
        "eng.registry": "MODEL_WRAPPERS OPTIMIZERS OPTIM_WRAPPERS Registry STRATEGIES",
        "eng.runner": "BaseStrategy ColossalAIModelWrapper ColossalAIOptimWrapper ColossalAIStrategy",
        "eng.utils": "get_git_hash mkdir_or_exist",
    },
    missing={
        "register_mixed_precisions": "ColossalAI is not run by eng",
        "register_optimizers": "ColossalAI is not run by eng",
        "register_plugins": "ColossalAI is not run by eng",
    },
)
