"""Loops, the Runner and the eng command."""

from typing import TYPE_CHECKING

# These live in lower packages, which need no runner. The documented API has them here as well, so
# that code of the OpenMMLab family finds them: checkpoint functions, autocast, priorities.
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
from .errors import MissingLoopError, RunnerConfigError
from .eval_loops import TestLoop, ValLoop
from .interrupted import TrainingInterrupted
from .log_processor import LogProcessor
from .model_features import turn_on_activation_checkpointing
from .older_names import calc_dynamic_intervals, set_random_seed
from .progress import Progress
from .protocol import LoopRunner
from .run_state import RunState, Stateful
from .runner import Runner
from .train_loops import EpochBasedTrainLoop, IterBasedTrainLoop

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "BaseLoop",
    "CheckpointLoader",
    "EpochBasedTrainLoop",
    "IterBasedTrainLoop",
    "LogProcessor",
    "LoopRunner",
    "MissingLoopError",
    "Priority",
    "Progress",
    "RunState",
    "Runner",
    "RunnerConfigError",
    "Stateful",
    "TestLoop",
    "TrainingInterrupted",
    "ValLoop",
    "autocast",
    "calc_dynamic_intervals",
    "find_latest_checkpoint",
    "get_deprecated_model_names",
    "get_external_models",
    "get_mmcls_models",
    "get_priority",
    "get_state_dict",
    "get_torchvision_models",
    "load_checkpoint",
    "load_state_dict",
    "save_checkpoint",
    "set_random_seed",
    "turn_on_activation_checkpointing",
    "weights_to_cpu",
]
