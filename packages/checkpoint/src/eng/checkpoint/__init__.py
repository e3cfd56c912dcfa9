"""Save and load training state: atomic, verified, on any storage.

Modules are imported on first access to one of their names, so that the ``eng`` command lists its
subcommands without importing torch.
"""

from typing import TYPE_CHECKING

from eng.utils import lazy_modules

if TYPE_CHECKING:
    from .average import average_weights
    from .background import BackgroundWriter
    from .contents import find_weights
    from .digest import tensor_digest
    from .errors import CheckpointError
    from .export import export_weights
    from .folder import CheckpointFolder, absolute_path, folder_template
    from .folder_files import copy_checkpoint, remove_checkpoint, remove_incomplete
    from .folder_format import checkpoint_exists, is_checkpoint_folder
    from .folder_saver import save_folder
    from .folder_writer import FolderSaver
    from .foreign_folder import save_foreign_folder
    from .loader import CheckpointLoader
    from .loading import load_checkpoint
    from .model_zoo import (
        get_deprecated_model_names,
        get_external_models,
        get_mmcls_models,
        get_torchvision_models,
    )
    from .newest import NewestCheckpoint, find_newest_checkpoint, progress_of, used_checkpoint
    from .older_names import (
        _load_checkpoint,
        _load_checkpoint_to_model,
        _load_checkpoint_with_prefix,
    )
    from .pointer import find_latest_checkpoint, next_save_number, write_last_checkpoint
    from .rank_buffers import RankBuffers
    from .saver import save_checkpoint
    from .sharded import (
        full_model_state,
        full_optimizer_state,
        is_sharded,
        load_full_model_state,
        load_full_optimizer_state,
        model_shards,
        optimizer_shards,
        shards_to_load,
    )
    from .shards import are_shards_kept, is_shard, keep_shards
    from .shared import load_shared_checkpoint
    from .state_dict import get_state_dict, load_state_dict, model_state, weights_to_cpu
    from .tensor_paths import OwnTensors, put_tensors, take_tensors
    from .trained_only import complete_weights, drop_frozen, frozen_digest, frozen_names
    from .types import MapLocation

__version__: str  # see _version.py

__all__ = [
    "BackgroundWriter",
    "CheckpointError",
    "CheckpointFolder",
    "CheckpointLoader",
    "FolderSaver",
    "MapLocation",
    "NewestCheckpoint",
    "OwnTensors",
    "RankBuffers",
    "_load_checkpoint",
    "_load_checkpoint_to_model",
    "_load_checkpoint_with_prefix",
    "absolute_path",
    "are_shards_kept",
    "average_weights",
    "checkpoint_exists",
    "complete_weights",
    "copy_checkpoint",
    "drop_frozen",
    "export_weights",
    "find_latest_checkpoint",
    "find_newest_checkpoint",
    "find_weights",
    "folder_template",
    "frozen_digest",
    "frozen_names",
    "full_model_state",
    "full_optimizer_state",
    "get_deprecated_model_names",
    "get_external_models",
    "get_mmcls_models",
    "get_state_dict",
    "get_torchvision_models",
    "is_checkpoint_folder",
    "is_shard",
    "is_sharded",
    "keep_shards",
    "load_checkpoint",
    "load_full_model_state",
    "load_full_optimizer_state",
    "load_shared_checkpoint",
    "load_state_dict",
    "model_shards",
    "model_state",
    "next_save_number",
    "optimizer_shards",
    "progress_of",
    "put_tensors",
    "remove_checkpoint",
    "remove_incomplete",
    "save_checkpoint",
    "save_folder",
    "save_foreign_folder",
    "shards_to_load",
    "take_tensors",
    "tensor_digest",
    "used_checkpoint",
    "weights_to_cpu",
    "write_last_checkpoint",
]

__getattr__, __dir__ = lazy_modules(
    __name__,
    {
        ".average": ("average_weights",),
        ".background": ("BackgroundWriter",),
        ".contents": ("find_weights",),
        ".digest": ("tensor_digest",),
        ".errors": ("CheckpointError",),
        ".export": ("export_weights",),
        ".folder": ("CheckpointFolder", "absolute_path", "folder_template"),
        ".folder_files": ("copy_checkpoint", "remove_checkpoint", "remove_incomplete"),
        ".folder_format": ("checkpoint_exists", "is_checkpoint_folder"),
        ".folder_saver": ("save_folder",),
        ".folder_writer": ("FolderSaver",),
        ".foreign_folder": ("save_foreign_folder",),
        ".loader": ("CheckpointLoader",),
        ".loading": ("load_checkpoint",),
        ".model_zoo": (
            "get_deprecated_model_names",
            "get_external_models",
            "get_mmcls_models",
            "get_torchvision_models",
        ),
        ".newest": ("NewestCheckpoint", "find_newest_checkpoint", "progress_of", "used_checkpoint"),
        ".older_names": (
            "_load_checkpoint",
            "_load_checkpoint_to_model",
            "_load_checkpoint_with_prefix",
        ),
        ".pointer": ("find_latest_checkpoint", "next_save_number", "write_last_checkpoint"),
        ".rank_buffers": ("RankBuffers",),
        ".saver": ("save_checkpoint",),
        ".sharded": (
            "full_model_state",
            "full_optimizer_state",
            "is_sharded",
            "load_full_model_state",
            "load_full_optimizer_state",
            "model_shards",
            "optimizer_shards",
            "shards_to_load",
        ),
        ".shards": ("are_shards_kept", "is_shard", "keep_shards"),
        ".shared": ("load_shared_checkpoint",),
        ".state_dict": ("get_state_dict", "load_state_dict", "model_state", "weights_to_cpu"),
        ".tensor_paths": ("OwnTensors", "put_tensors", "take_tensors"),
        ".trained_only": ("complete_weights", "drop_frozen", "frozen_digest", "frozen_names"),
        ".types": ("MapLocation",),
    },
)
