"""Names of mmengine.hooks.checkpoint_hook, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dist import is_main_process as is_main_process
    from eng.dist import master_only as master_only
    from eng.fileio import FileClient as FileClient
    from eng.fileio import get_file_backend as get_file_backend
    from eng.hooks import CheckpointHook as CheckpointHook
    from eng.hooks import Hook as Hook
    from eng.logging import print_log as print_log
    from eng.registry import HOOKS as HOOKS
    from eng.utils import DataBatch as DATA_BATCH
    from eng.utils import is_list_of as is_list_of
    from eng.utils import is_seq_of as is_seq_of

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dist": "is_main_process master_only",
        "eng.fileio": "FileClient get_file_backend",
        "eng.hooks": "CheckpointHook Hook",
        "eng.logging": "print_log",
        "eng.registry": "HOOKS",
        "eng.utils": "DATA_BATCH=DataBatch is_list_of is_seq_of",
    },
)
