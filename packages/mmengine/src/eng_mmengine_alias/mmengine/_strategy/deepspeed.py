"""Names of mmengine._strategy.deepspeed, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.checkpoint import save_checkpoint as save_checkpoint
    from eng.checkpoint import weights_to_cpu as weights_to_cpu
    from eng.dist import init_dist as init_dist
    from eng.dist import is_main_process as is_main_process
    from eng.logging import print_log as print_log
    from eng.optim import BaseOptimWrapper as BaseOptimWrapper
    from eng.registry import MODEL_WRAPPERS as MODEL_WRAPPERS
    from eng.registry import OPTIMIZERS as OPTIMIZERS
    from eng.registry import OPTIM_WRAPPERS as OPTIM_WRAPPERS
    from eng.registry import STRATEGIES as STRATEGIES
    from eng.runner import BaseStrategy as BaseStrategy
    from eng.runner import DeepSpeedOptimWrapper as DeepSpeedOptimWrapper
    from eng.runner import DeepSpeedStrategy as DeepSpeedStrategy
    from eng.runner import MMDeepSpeedEngineWrapper as MMDeepSpeedEngineWrapper
    from eng.runner import register_deepspeed_optimizers as register_deepspeed_optimizers
    from eng.utils import apply_to as apply_to
    from eng.utils import digit_version as digit_version
    from eng.utils import get_git_hash as get_git_hash

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.checkpoint": "save_checkpoint weights_to_cpu",
        "eng.dist": "init_dist is_main_process",
        "eng.logging": "print_log",
        "eng.optim": "BaseOptimWrapper",
        "eng.registry": "MODEL_WRAPPERS OPTIMIZERS OPTIM_WRAPPERS STRATEGIES",
        "eng.runner": "BaseStrategy DeepSpeedOptimWrapper DeepSpeedStrategy MMDeepSpeedEngineWrapper register_deepspeed_optimizers",
        "eng.utils": "apply_to digit_version get_git_hash",
    },
)
