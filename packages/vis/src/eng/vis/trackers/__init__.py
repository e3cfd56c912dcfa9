"""Experiment trackers, each with an extra of its name."""

from .aim_backend import AimVisBackend
from .clearml_backend import ClearMLVisBackend
from .dvclive_backend import DVCLiveVisBackend
from .mlflow_backend import MLflowVisBackend
from .neptune_backend import NeptuneVisBackend

__all__ = [
    "AimVisBackend",
    "ClearMLVisBackend",
    "DVCLiveVisBackend",
    "MLflowVisBackend",
    "NeptuneVisBackend",
]
