"""Names of mmengine.runner, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.checkpoint import CheckpointLoader as CheckpointLoader
    from eng.checkpoint import find_latest_checkpoint as find_latest_checkpoint
    from eng.checkpoint import get_deprecated_model_names as get_deprecated_model_names
    from eng.checkpoint import get_external_models as get_external_models
    from eng.checkpoint import get_mmcls_models as get_mmcls_models
    from eng.checkpoint import get_state_dict as get_state_dict
    from eng.checkpoint import get_torchvision_models as get_torchvision_models
    from eng.checkpoint import load_checkpoint as load_checkpoint
    from eng.checkpoint import load_state_dict as load_state_dict
    from eng.checkpoint import save_checkpoint as save_checkpoint
    from eng.checkpoint import weights_to_cpu as weights_to_cpu
    from eng.device import autocast as autocast
    from eng.hooks import Priority as Priority
    from eng.hooks import get_priority as get_priority
    from eng.runner import BaseLoop as BaseLoop
    from eng.runner import EpochBasedTrainLoop as EpochBasedTrainLoop
    from eng.runner import FlexibleRunner as FlexibleRunner
    from eng.runner import IterBasedTrainLoop as IterBasedTrainLoop
    from eng.runner import LogProcessor as LogProcessor
    from eng.runner import Runner as Runner
    from eng.runner import TestLoop as TestLoop
    from eng.runner import ValLoop as ValLoop
    from eng.runner import set_random_seed as set_random_seed
    from eng.runner import turn_on_activation_checkpointing as turn_on_activation_checkpointing

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.checkpoint": "CheckpointLoader find_latest_checkpoint get_deprecated_model_names get_external_models get_mmcls_models get_state_dict get_torchvision_models load_checkpoint load_state_dict save_checkpoint weights_to_cpu",
        "eng.device": "autocast",
        "eng.hooks": "Priority get_priority",
        "eng.runner": "BaseLoop EpochBasedTrainLoop FlexibleRunner IterBasedTrainLoop LogProcessor Runner TestLoop ValLoop set_random_seed turn_on_activation_checkpointing",
    },
    modules="_flexible_runner activation_checkpointing amp base_loop checkpoint log_processor loops priority runner utils",
)
