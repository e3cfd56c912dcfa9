"""Drawing and experiment tracking."""

from typing import TYPE_CHECKING

from eng.utils import lazy_modules

from .argument_checks import check_length, check_type, check_type_and_length, value2list
from .backend import BaseVisBackend, LocalVisBackend
from .environment import force_init_env
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

if TYPE_CHECKING:
    from .confusion import draw_confusion_matrix
    from .conversions import (
        color_str2rgb,
        color_val_matplotlib,
        convert_overlay_heatmap,
        img_from_canvas,
        tensor2ndarray,
    )
    from .window import wait_continue

__version__: str  # see _version.py

__all__ = [
    "AimVisBackend",
    "BaseVisBackend",
    "ClearMLVisBackend",
    "DVCLiveVisBackend",
    "LocalVisBackend",
    "MLflowVisBackend",
    "NeptuneVisBackend",
    "TensorboardVisBackend",
    "Visualizer",
    "WandbVisBackend",
    "check_length",
    "check_type",
    "check_type_and_length",
    "color_str2rgb",
    "color_val_matplotlib",
    "convert_overlay_heatmap",
    "draw_confusion_matrix",
    "force_init_env",
    "img_from_canvas",
    "tensor2ndarray",
    "value2list",
    "wait_continue",
]

# These import matplotlib, which a run that draws nothing does not need.
__getattr__, __dir__ = lazy_modules(
    __name__,
    {
        ".confusion": ("draw_confusion_matrix",),
        ".conversions": (
            "color_str2rgb",
            "color_val_matplotlib",
            "convert_overlay_heatmap",
            "img_from_canvas",
            "tensor2ndarray",
        ),
        ".window": ("wait_continue",),
    },
)
