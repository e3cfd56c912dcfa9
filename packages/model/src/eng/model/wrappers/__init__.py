"""Wrappers for training in several processes."""

from .anomaly import detect_anomalous_params
from .distributed import MMDistributedDataParallel
from .is_wrapper import is_model_wrapper
from .separate_distributed import MMSeparateDistributedDataParallel

__all__ = [
    "MMDistributedDataParallel",
    "MMSeparateDistributedDataParallel",
    "detect_anomalous_params",
    "is_model_wrapper",
]
