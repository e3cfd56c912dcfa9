"""Drawing and experiment tracking."""

from typing import TYPE_CHECKING

from .backend import BaseVisBackend, LocalVisBackend
from .tensorboard_backend import TensorboardVisBackend
from .visualizer import Visualizer
from .wandb_backend import WandbVisBackend

if not TYPE_CHECKING:
    from ._version import __getattr__ as __getattr__

__version__: str  # see _version.py

__all__ = [
    "BaseVisBackend",
    "LocalVisBackend",
    "TensorboardVisBackend",
    "Visualizer",
    "WandbVisBackend",
]
