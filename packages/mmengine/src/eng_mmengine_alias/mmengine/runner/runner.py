"""Names of mmengine.runner.runner, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.checkpoint import find_latest_checkpoint as find_latest_checkpoint
    from eng.checkpoint import save_checkpoint as save_checkpoint
    from eng.checkpoint import weights_to_cpu as weights_to_cpu
    from eng.config import Config as Config
    from eng.config import ConfigDict as ConfigDict
    from eng.device import get_device as get_device
    from eng.dist import broadcast as broadcast
    from eng.dist import get_dist_info as get_dist_info
    from eng.dist import get_rank as get_rank
    from eng.dist import get_world_size as get_world_size
    from eng.dist import init_dist as init_dist
    from eng.dist import is_distributed as is_distributed
    from eng.dist import master_only as master_only
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.dl_utils import collect_env as collect_env
    from eng.dl_utils import is_model_wrapper as is_model_wrapper
    from eng.dl_utils import set_multi_processing as set_multi_processing
    from eng.evaluator import Evaluator as Evaluator
    from eng.fileio import FileClient as FileClient
    from eng.fileio import join_path as join_path
    from eng.hooks import Hook as Hook
    from eng.hooks import Priority as Priority
    from eng.hooks import get_priority as get_priority
    from eng.logging import MMLogger as MMLogger
    from eng.logging import MessageHub as MessageHub
    from eng.logging import print_log as print_log
    from eng.model import MMDistributedDataParallel as MMDistributedDataParallel
    from eng.model import convert_sync_batchnorm as convert_sync_batchnorm
    from eng.model import revert_sync_batchnorm as revert_sync_batchnorm
    from eng.model import turn_on_efficient_conv_bn_eval as turn_on_efficient_conv_bn_eval
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.optim import OptimWrapperDict as OptimWrapperDict
    from eng.optim import build_optim_wrapper as build_optim_wrapper
    from eng.registry import DATASETS as DATASETS
    from eng.registry import DATA_SAMPLERS as DATA_SAMPLERS
    from eng.registry import DefaultScope as DefaultScope
    from eng.registry import EVALUATOR as EVALUATOR
    from eng.registry import FUNCTIONS as FUNCTIONS
    from eng.registry import HOOKS as HOOKS
    from eng.registry import LOG_PROCESSORS as LOG_PROCESSORS
    from eng.registry import LOOPS as LOOPS
    from eng.registry import MODELS as MODELS
    from eng.registry import MODEL_WRAPPERS as MODEL_WRAPPERS
    from eng.registry import OPTIM_WRAPPERS as OPTIM_WRAPPERS
    from eng.registry import PARAM_SCHEDULERS as PARAM_SCHEDULERS
    from eng.registry import RUNNERS as RUNNERS
    from eng.registry import VISUALIZERS as VISUALIZERS
    from eng.runner import BaseLoop as BaseLoop
    from eng.runner import EpochBasedTrainLoop as EpochBasedTrainLoop
    from eng.runner import IterBasedTrainLoop as IterBasedTrainLoop
    from eng.runner import LogProcessor as LogProcessor
    from eng.runner import Runner as Runner
    from eng.runner import TestLoop as TestLoop
    from eng.runner import ValLoop as ValLoop
    from eng.runner import set_random_seed as set_random_seed
    from eng.runner import turn_on_activation_checkpointing as turn_on_activation_checkpointing
    from eng.utils import apply_to as apply_to
    from eng.utils import digit_version as digit_version
    from eng.utils import get_git_hash as get_git_hash
    from eng.utils import is_seq_of as is_seq_of
    from eng.vis import Visualizer as Visualizer

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.checkpoint": "find_latest_checkpoint save_checkpoint weights_to_cpu",
        "eng.config": "Config ConfigDict",
        "eng.device": "get_device",
        "eng.dist": "broadcast get_dist_info get_rank get_world_size init_dist is_distributed master_only",
        "eng.dl_utils": "TORCH_VERSION collect_env is_model_wrapper set_multi_processing",
        "eng.evaluator": "Evaluator",
        "eng.fileio": "FileClient join_path",
        "eng.hooks": "Hook Priority get_priority",
        "eng.logging": "MMLogger MessageHub print_log",
        "eng.model": "MMDistributedDataParallel convert_sync_batchnorm revert_sync_batchnorm turn_on_efficient_conv_bn_eval",
        "eng.optim": "OptimWrapper OptimWrapperDict build_optim_wrapper",
        "eng.registry": "DATASETS DATA_SAMPLERS DefaultScope EVALUATOR FUNCTIONS HOOKS LOG_PROCESSORS LOOPS MODELS MODEL_WRAPPERS OPTIM_WRAPPERS PARAM_SCHEDULERS RUNNERS VISUALIZERS",
        "eng.runner": "BaseLoop EpochBasedTrainLoop IterBasedTrainLoop LogProcessor Runner TestLoop ValLoop set_random_seed turn_on_activation_checkpointing",
        "eng.utils": "apply_to digit_version get_git_hash is_seq_of",
        "eng.vis": "Visualizer",
    },
)
