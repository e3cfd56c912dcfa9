"""Import all backends and the visualizer, which registers them."""

from .backend import LocalVisBackend
from .tensorboard_backend import TensorboardVisBackend
from .trackers import (
    AimVisBackend,
    ClearMLVisBackend,
    DVCLiveVisBackend,
    MLflowVisBackend,
    NeptuneVisBackend,
)
from .visualizer import Visualizer
from .wandb_backend import WandbVisBackend

__all__ = [
    "AimVisBackend",
    "ClearMLVisBackend",
    "DVCLiveVisBackend",
    "LocalVisBackend",
    "MLflowVisBackend",
    "NeptuneVisBackend",
    "TensorboardVisBackend",
    "Visualizer",
    "WandbVisBackend",
]
