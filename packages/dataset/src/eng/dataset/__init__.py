"""Datasets, wrappers, samplers and collation."""

from .collate import default_collate, pseudo_collate
from .sampler import DefaultSampler, InfiniteSampler
from .worker import worker_init_fn

__all__ = [
    "DefaultSampler",
    "InfiniteSampler",
    "default_collate",
    "pseudo_collate",
    "worker_init_fn",
]
