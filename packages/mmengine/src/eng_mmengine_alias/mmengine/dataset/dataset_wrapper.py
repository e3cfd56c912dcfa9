"""Names of mmengine.dataset.dataset_wrapper, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dataset import BaseDataset as BaseDataset
    from eng.dataset import ClassBalancedDataset as ClassBalancedDataset
    from eng.dataset import ConcatDataset as ConcatDataset
    from eng.dataset import RepeatDataset as RepeatDataset
    from eng.dataset import force_full_init as force_full_init
    from eng.logging import print_log as print_log
    from eng.registry import DATASETS as DATASETS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dataset": "BaseDataset ClassBalancedDataset ConcatDataset RepeatDataset force_full_init",
        "eng.logging": "print_log",
        "eng.registry": "DATASETS",
    },
)
