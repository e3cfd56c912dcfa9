"""Loops, the Runner, and the commands that train and test.

Modules are imported when one of their names is first asked for, so that the ``eng`` command knows
its sub-commands without torch.
"""

from typing import TYPE_CHECKING

from eng.utils import lazy_modules

if TYPE_CHECKING:
    # These live in lower packages, which need no runner. The documented API has them here as well,
    # so that code of the OpenMMLab family finds them: checkpoint functions, autocast, priorities.
    from eng.checkpoint import (
        CheckpointLoader,
        find_latest_checkpoint,
        get_deprecated_model_names,
        get_external_models,
        get_mmcls_models,
        get_state_dict,
        get_torchvision_models,
        load_checkpoint,
        load_state_dict,
        save_checkpoint,
        weights_to_cpu,
    )
    from eng.device import autocast
    from eng.hooks import Priority, get_priority

    from .base_loop import BaseLoop
    from .batch_find import BatchSizeSearch, find_batch_size
    from .batch_outcome import BatchTrial
    from .confusion_matrix_hook import ConfusionMatrixHook
    from .errors import MissingLoopError, RunnerConfigError
    from .eval_loops import TestLoop, ValLoop
    from .flexible_runner import FlexibleRunner
    from .interrupted import TrainingInterrupted
    from .learning_rates import LearningRateCurve
    from .log_processor import LogProcessor
    from .lr_find import find_learning_rate
    from .model_features import turn_on_activation_checkpointing
    from .older_names import calc_dynamic_intervals, set_random_seed
    from .progress import Progress
    from .protocol import LoopRunner
    from .rebuilt_batch import RebuiltBatch, rebuild_batch
    from .run_state import RunState, Stateful
    from .run_summary import BestScore, RunSummary
    from .runner import Runner
    from .strategies import (
        BaseStrategy,
        ColossalAIModelWrapper,
        ColossalAIOptimWrapper,
        ColossalAIStrategy,
        DDPStrategy,
        DeepSpeedOptimWrapper,
        DeepSpeedStrategy,
        FSDPStrategy,
        MMDeepSpeedEngineWrapper,
        SingleDeviceStrategy,
        register_deepspeed_optimizers,
    )
    from .train_loops import EpochBasedTrainLoop, IterBasedTrainLoop

__version__: str  # see _version.py

__all__ = [
    "BaseLoop",
    "BaseStrategy",
    "BatchSizeSearch",
    "BatchTrial",
    "BestScore",
    "CheckpointLoader",
    "ColossalAIModelWrapper",
    "ColossalAIOptimWrapper",
    "ColossalAIStrategy",
    "ConfusionMatrixHook",
    "DDPStrategy",
    "DeepSpeedOptimWrapper",
    "DeepSpeedStrategy",
    "EpochBasedTrainLoop",
    "FSDPStrategy",
    "FlexibleRunner",
    "IterBasedTrainLoop",
    "LearningRateCurve",
    "LogProcessor",
    "LoopRunner",
    "MMDeepSpeedEngineWrapper",
    "MissingLoopError",
    "Priority",
    "Progress",
    "RebuiltBatch",
    "RunState",
    "RunSummary",
    "Runner",
    "RunnerConfigError",
    "SingleDeviceStrategy",
    "Stateful",
    "TestLoop",
    "TrainingInterrupted",
    "ValLoop",
    "autocast",
    "calc_dynamic_intervals",
    "find_batch_size",
    "find_latest_checkpoint",
    "find_learning_rate",
    "get_deprecated_model_names",
    "get_external_models",
    "get_mmcls_models",
    "get_priority",
    "get_state_dict",
    "get_torchvision_models",
    "load_checkpoint",
    "load_state_dict",
    "rebuild_batch",
    "register_deepspeed_optimizers",
    "save_checkpoint",
    "set_random_seed",
    "turn_on_activation_checkpointing",
    "weights_to_cpu",
]

__getattr__, __dir__ = lazy_modules(
    __name__,
    {
        "eng.checkpoint": (
            "CheckpointLoader",
            "find_latest_checkpoint",
            "get_deprecated_model_names",
            "get_external_models",
            "get_mmcls_models",
            "get_state_dict",
            "get_torchvision_models",
            "load_checkpoint",
            "load_state_dict",
            "save_checkpoint",
            "weights_to_cpu",
        ),
        "eng.device": ("autocast",),
        "eng.hooks": ("Priority", "get_priority"),
        ".base_loop": ("BaseLoop",),
        ".batch_find": ("BatchSizeSearch", "find_batch_size"),
        ".batch_outcome": ("BatchTrial",),
        ".confusion_matrix_hook": ("ConfusionMatrixHook",),
        ".errors": ("MissingLoopError", "RunnerConfigError"),
        ".eval_loops": ("TestLoop", "ValLoop"),
        ".flexible_runner": ("FlexibleRunner",),
        ".interrupted": ("TrainingInterrupted",),
        ".learning_rates": ("LearningRateCurve",),
        ".log_processor": ("LogProcessor",),
        ".lr_find": ("find_learning_rate",),
        ".model_features": ("turn_on_activation_checkpointing",),
        ".older_names": ("calc_dynamic_intervals", "set_random_seed"),
        ".progress": ("Progress",),
        ".protocol": ("LoopRunner",),
        ".rebuilt_batch": ("RebuiltBatch", "rebuild_batch"),
        ".run_state": ("RunState", "Stateful"),
        ".run_summary": ("BestScore", "RunSummary"),
        ".runner": ("Runner",),
        ".strategies": (
            "BaseStrategy",
            "ColossalAIModelWrapper",
            "ColossalAIOptimWrapper",
            "ColossalAIStrategy",
            "DDPStrategy",
            "DeepSpeedOptimWrapper",
            "DeepSpeedStrategy",
            "FSDPStrategy",
            "MMDeepSpeedEngineWrapper",
            "SingleDeviceStrategy",
            "register_deepspeed_optimizers",
        ),
        ".train_loops": ("EpochBasedTrainLoop", "IterBasedTrainLoop"),
    },
)
