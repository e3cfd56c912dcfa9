"""Model wrappers for distributed training."""

from .anomaly import detect_anomalous_params
from .distributed import MMDistributedDataParallel
from .separate_distributed import MMSeparateDistributedDataParallel

__all__ = [
    "MMDistributedDataParallel",
    "MMSeparateDistributedDataParallel",
    "detect_anomalous_params",
]
