"""Drawing and experiment tracking."""

from .backend import BaseVisBackend, LocalVisBackend
from .tensorboard_backend import TensorboardVisBackend
from .visualizer import Visualizer
from .wandb_backend import WandbVisBackend

__all__ = [
    "BaseVisBackend",
    "LocalVisBackend",
    "TensorboardVisBackend",
    "Visualizer",
    "WandbVisBackend",
]
