"""Datasets, wrappers, samplers and collation."""

from typing import TYPE_CHECKING

from .base_dataset import AnnotationError, BaseDataset
from .collate import COLLATE_FUNCTIONS, default_collate, pseudo_collate
from .compose import Compose, TransformError
from .distributed import DistributedSamplerWrapper
from .full_init import force_full_init
from .length_samplers import (
    BucketBatchSampler,
    LengthGroupedSampler,
    TokenBudgetBatchSampler,
)
from .loader import length_of, sampler_with, samplers_of
from .named_loaders import LOADER_SETTINGS, has_named_loaders
from .placed import PlacedSampler, open_loader
from .prefetch import prefetch_to_device
from .randomness import RawRandomState, SampleIndex, random_numbers_of
from .sampler import DefaultSampler, InfiniteSampler
from .worker import worker_init_fn
from .wrappers import ClassBalancedDataset, ConcatDataset, RepeatDataset

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "COLLATE_FUNCTIONS",
    "LOADER_SETTINGS",
    "AnnotationError",
    "BaseDataset",
    "BucketBatchSampler",
    "ClassBalancedDataset",
    "Compose",
    "ConcatDataset",
    "DefaultSampler",
    "DistributedSamplerWrapper",
    "InfiniteSampler",
    "LengthGroupedSampler",
    "PlacedSampler",
    "RawRandomState",
    "RepeatDataset",
    "SampleIndex",
    "TokenBudgetBatchSampler",
    "TransformError",
    "default_collate",
    "force_full_init",
    "has_named_loaders",
    "length_of",
    "open_loader",
    "prefetch_to_device",
    "pseudo_collate",
    "random_numbers_of",
    "sampler_with",
    "samplers_of",
    "worker_init_fn",
]
