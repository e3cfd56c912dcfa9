"""Names of mmengine.runner._flexible_runner, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.checkpoint import find_latest_checkpoint as find_latest_checkpoint
    from eng.config import Config as Config
    from eng.config import ConfigDict as ConfigDict
    from eng.dist import get_rank as get_rank
    from eng.dist import infer_launcher as infer_launcher
    from eng.dist import master_only as master_only
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.evaluator import Evaluator as Evaluator
    from eng.fileio import FileClient as FileClient
    from eng.fileio import join_path as join_path
    from eng.hooks import Hook as Hook
    from eng.hooks import Priority as Priority
    from eng.hooks import get_priority as get_priority
    from eng.logging import MessageHub as MessageHub
    from eng.logging import print_log as print_log
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.optim import OptimWrapperDict as OptimWrapperDict
    from eng.registry import DATASETS as DATASETS
    from eng.registry import DATA_SAMPLERS as DATA_SAMPLERS
    from eng.registry import DefaultScope as DefaultScope
    from eng.registry import EVALUATOR as EVALUATOR
    from eng.registry import FUNCTIONS as FUNCTIONS
    from eng.registry import HOOKS as HOOKS
    from eng.registry import LOG_PROCESSORS as LOG_PROCESSORS
    from eng.registry import LOOPS as LOOPS
    from eng.registry import RUNNERS as RUNNERS
    from eng.registry import STRATEGIES as STRATEGIES
    from eng.registry import VISUALIZERS as VISUALIZERS
    from eng.runner import BaseLoop as BaseLoop
    from eng.runner import BaseStrategy as BaseStrategy
    from eng.runner import EpochBasedTrainLoop as EpochBasedTrainLoop
    from eng.runner import FlexibleRunner as FlexibleRunner
    from eng.runner import IterBasedTrainLoop as IterBasedTrainLoop
    from eng.runner import LogProcessor as LogProcessor
    from eng.runner import TestLoop as TestLoop
    from eng.runner import ValLoop as ValLoop
    from eng.utils import digit_version as digit_version
    from eng.vis import Visualizer as Visualizer

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.checkpoint": "find_latest_checkpoint",
        "eng.config": "Config ConfigDict",
        "eng.dist": "get_rank infer_launcher master_only",
        "eng.dl_utils": "TORCH_VERSION",
        "eng.evaluator": "Evaluator",
        "eng.fileio": "FileClient join_path",
        "eng.hooks": "Hook Priority get_priority",
        "eng.logging": "MessageHub print_log",
        "eng.optim": "OptimWrapper OptimWrapperDict",
        "eng.registry": "DATASETS DATA_SAMPLERS DefaultScope EVALUATOR FUNCTIONS HOOKS LOG_PROCESSORS LOOPS RUNNERS STRATEGIES VISUALIZERS",
        "eng.runner": "BaseLoop BaseStrategy EpochBasedTrainLoop FlexibleRunner IterBasedTrainLoop LogProcessor TestLoop ValLoop",
        "eng.utils": "digit_version",
        "eng.vis": "Visualizer",
    },
)
