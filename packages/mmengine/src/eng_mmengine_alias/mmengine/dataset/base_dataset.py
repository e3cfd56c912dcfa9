"""Names of mmengine.dataset.base_dataset, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import Config as Config
    from eng.dataset import BaseDataset as BaseDataset
    from eng.dataset import Compose as Compose
    from eng.dataset import force_full_init as force_full_init
    from eng.fileio import join_path as join_path
    from eng.fileio import list_from_file as list_from_file
    from eng.fileio import load as load
    from eng.logging import print_log as print_log
    from eng.registry import TRANSFORMS as TRANSFORMS
    from eng.utils import is_abs as is_abs

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "Config",
        "eng.dataset": "BaseDataset Compose force_full_init",
        "eng.fileio": "join_path list_from_file load",
        "eng.logging": "print_log",
        "eng.registry": "TRANSFORMS",
        "eng.utils": "is_abs",
    },
)
