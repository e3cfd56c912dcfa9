"""Names of mmengine.hooks.logger_hook, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.fileio import FileClient as FileClient
    from eng.fileio import dump as dump
    from eng.fileio import get_file_backend as get_file_backend
    from eng.hooks import Hook as Hook
    from eng.hooks import LoggerHook as LoggerHook
    from eng.logging import print_log as print_log
    from eng.registry import HOOKS as HOOKS
    from eng.utils import DataBatch as DATA_BATCH
    from eng.utils import is_seq_of as is_seq_of
    from eng.utils import scandir as scandir

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.fileio": "FileClient dump get_file_backend",
        "eng.hooks": "Hook LoggerHook",
        "eng.logging": "print_log",
        "eng.registry": "HOOKS",
        "eng.utils": "DATA_BATCH=DataBatch is_seq_of scandir",
    },
)
