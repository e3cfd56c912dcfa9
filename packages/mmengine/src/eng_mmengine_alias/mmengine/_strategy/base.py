"""Names of mmengine._strategy.base, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import Config as Config
    from eng.config import ConfigDict as ConfigDict
    from eng.dist import broadcast as broadcast
    from eng.dist import get_dist_info as get_dist_info
    from eng.dist import infer_launcher as infer_launcher
    from eng.dist import is_distributed as is_distributed
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.dl_utils import collect_env as collect_env
    from eng.dl_utils import is_model_wrapper as is_model_wrapper
    from eng.dl_utils import set_multi_processing as set_multi_processing
    from eng.logging import MMLogger as MMLogger
    from eng.optim import BaseOptimWrapper as BaseOptimWrapper
    from eng.optim import OptimWrapperDict as OptimWrapperDict
    from eng.optim import build_optim_wrapper as build_optim_wrapper
    from eng.registry import MODELS as MODELS
    from eng.registry import OPTIM_WRAPPERS as OPTIM_WRAPPERS
    from eng.registry import PARAM_SCHEDULERS as PARAM_SCHEDULERS
    from eng.runner import BaseStrategy as BaseStrategy
    from eng.utils import digit_version as digit_version

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "Config ConfigDict",
        "eng.dist": "broadcast get_dist_info infer_launcher is_distributed",
        "eng.dl_utils": "TORCH_VERSION collect_env is_model_wrapper set_multi_processing",
        "eng.logging": "MMLogger",
        "eng.optim": "BaseOptimWrapper OptimWrapperDict build_optim_wrapper",
        "eng.registry": "MODELS OPTIM_WRAPPERS PARAM_SCHEDULERS",
        "eng.runner": "BaseStrategy",
        "eng.utils": "digit_version",
    },
)
