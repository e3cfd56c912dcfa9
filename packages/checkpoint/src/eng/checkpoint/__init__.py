"""Save and load training state: atomic, verified, on any storage."""

from .errors import CheckpointError
from .loader import CheckpointLoader
from .saver import find_latest_checkpoint, save_checkpoint
from .state_dict import (
    get_state_dict,
    load_checkpoint,
    load_state_dict,
    model_state,
    weights_to_cpu,
)

__all__ = [
    "CheckpointError",
    "CheckpointLoader",
    "find_latest_checkpoint",
    "get_state_dict",
    "load_checkpoint",
    "load_state_dict",
    "model_state",
    "save_checkpoint",
    "weights_to_cpu",
]
