"""Wrappers for training in several processes."""

from .anomaly import detect_anomalous_params
from .distributed import MMDistributedDataParallel
from .is_wrapper import is_model_wrapper

__all__ = ["MMDistributedDataParallel", "detect_anomalous_params", "is_model_wrapper"]
