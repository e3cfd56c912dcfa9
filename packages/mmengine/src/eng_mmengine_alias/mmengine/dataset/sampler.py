"""Names of mmengine.dataset.sampler, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dataset import DefaultSampler as DefaultSampler
    from eng.dataset import InfiniteSampler as InfiniteSampler
    from eng.dist import get_dist_info as get_dist_info
    from eng.dist import sync_random_seed as sync_random_seed
    from eng.registry import DATA_SAMPLERS as DATA_SAMPLERS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dataset": "DefaultSampler InfiniteSampler",
        "eng.dist": "get_dist_info sync_random_seed",
        "eng.registry": "DATA_SAMPLERS",
    },
)
