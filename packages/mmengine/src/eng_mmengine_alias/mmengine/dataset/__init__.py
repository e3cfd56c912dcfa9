"""Names of mmengine.dataset, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dataset import BaseDataset as BaseDataset
    from eng.dataset import ClassBalancedDataset as ClassBalancedDataset
    from eng.dataset import Compose as Compose
    from eng.dataset import ConcatDataset as ConcatDataset
    from eng.dataset import DefaultSampler as DefaultSampler
    from eng.dataset import InfiniteSampler as InfiniteSampler
    from eng.dataset import RepeatDataset as RepeatDataset
    from eng.dataset import default_collate as default_collate
    from eng.dataset import force_full_init as force_full_init
    from eng.dataset import pseudo_collate as pseudo_collate
    from eng.dataset import worker_init_fn as worker_init_fn
    from eng.registry import COLLATE_FUNCTIONS as COLLATE_FUNCTIONS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dataset": "BaseDataset ClassBalancedDataset Compose ConcatDataset DefaultSampler InfiniteSampler RepeatDataset default_collate force_full_init pseudo_collate worker_init_fn",
        "eng.registry": "COLLATE_FUNCTIONS",
    },
    modules="base_dataset dataset_wrapper sampler utils",
)
