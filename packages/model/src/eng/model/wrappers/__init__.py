"""Wrappers for training in several processes."""

from .anomaly import detect_anomalous_params
from .distributed import MMDistributedDataParallel
from .separate_distributed import MMSeparateDistributedDataParallel

__all__ = [
    "MMDistributedDataParallel",
    "MMSeparateDistributedDataParallel",
    "detect_anomalous_params",
]
