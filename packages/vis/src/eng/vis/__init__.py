"""Drawing and experiment tracking."""

from .backend import BaseVisBackend, LocalVisBackend
from .visualizer import Visualizer

__all__ = ["BaseVisBackend", "LocalVisBackend", "Visualizer"]
