"""Import all backends and the visualizer, which registers them."""

from .backend import LocalVisBackend
from .image_folder_backend import ImageFolderBackend
from .prediction_visualizer import PredictionVisualizer
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
    "ImageFolderBackend",
    "LocalVisBackend",
    "MLflowVisBackend",
    "NeptuneVisBackend",
    "PredictionVisualizer",
    "TensorboardVisBackend",
    "Visualizer",
    "WandbVisBackend",
]
