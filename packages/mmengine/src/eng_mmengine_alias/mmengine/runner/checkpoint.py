"""Names of mmengine.runner.checkpoint, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.checkpoint import CheckpointLoader as CheckpointLoader
    from eng.checkpoint import _load_checkpoint as _load_checkpoint
    from eng.checkpoint import _load_checkpoint_to_model as _load_checkpoint_to_model
    from eng.checkpoint import _load_checkpoint_with_prefix as _load_checkpoint_with_prefix
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
    from eng.checkpoint.older_names import DEFAULT_CACHE_DIR as DEFAULT_CACHE_DIR
    from eng.checkpoint.older_names import ENV_MMENGINE_HOME as ENV_MMENGINE_HOME
    from eng.checkpoint.older_names import ENV_XDG_CACHE_HOME as ENV_XDG_CACHE_HOME
    from eng.checkpoint.older_names import _get_mmengine_home as _get_mmengine_home
    from eng.dist import get_dist_info as get_dist_info
    from eng.dl_utils import is_model_wrapper as is_model_wrapper
    from eng.fileio import FileClient as FileClient
    from eng.fileio import get_file_backend as get_file_backend
    from eng.logging import print_log as print_log
    from eng.model import BaseTTAModel as BaseTTAModel
    from eng.utils import apply_to as apply_to
    from eng.utils import deprecated_function as deprecated_function
    from eng.utils import digit_version as digit_version
    from eng.utils import mkdir_or_exist as mkdir_or_exist

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.checkpoint": "CheckpointLoader _load_checkpoint _load_checkpoint_to_model _load_checkpoint_with_prefix find_latest_checkpoint get_deprecated_model_names get_external_models get_mmcls_models get_state_dict get_torchvision_models load_checkpoint load_state_dict save_checkpoint weights_to_cpu",
        "eng.checkpoint.older_names": "DEFAULT_CACHE_DIR ENV_MMENGINE_HOME ENV_XDG_CACHE_HOME _get_mmengine_home",
        "eng.dist": "get_dist_info",
        "eng.dl_utils": "is_model_wrapper",
        "eng.fileio": "FileClient get_file_backend",
        "eng.logging": "print_log",
        "eng.model": "BaseTTAModel",
        "eng.utils": "apply_to deprecated_function digit_version mkdir_or_exist",
    },
    missing={
        "load_from_ceph": "use CheckpointLoader.load_checkpoint, which loads URLs of all schemes",
        "load_from_http": "use CheckpointLoader.load_checkpoint, which loads URLs of all schemes",
        "load_from_local": "use CheckpointLoader.load_checkpoint, which loads URLs of all schemes",
        "load_from_mmcls": "use CheckpointLoader.load_checkpoint, which loads URLs of all schemes",
        "load_from_openmmlab": "use CheckpointLoader.load_checkpoint, which loads URLs of all schemes",
        "load_from_pavi": "use CheckpointLoader.load_checkpoint, which loads URLs of all schemes",
        "load_from_torchvision": "use CheckpointLoader.load_checkpoint, which loads URLs of all schemes",
    },
)
