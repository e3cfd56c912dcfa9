"""Drawing, experiment tracking, and plots of runs.

Modules are imported on first access to one of their names, so that the ``eng`` command lists its
subcommands without importing torch.
"""

from typing import TYPE_CHECKING

from eng.utils import lazy_modules

if TYPE_CHECKING:
    from .argument_checks import check_length, check_type, check_type_and_length, value2list
    from .backend import BaseVisBackend, LocalVisBackend
    from .confusion import draw_confusion_matrix
    from .conversions import (
        color_str2rgb,
        color_val_matplotlib,
        convert_overlay_heatmap,
        img_from_canvas,
        tensor2ndarray,
    )
    from .environment import force_init_env
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
    from .window import wait_continue

__version__: str  # see _version.py

__all__ = [
    "AimVisBackend",
    "BaseVisBackend",
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

__getattr__, __dir__ = lazy_modules(
    __name__,
    {
        ".argument_checks": (
            "check_length",
            "check_type",
            "check_type_and_length",
            "value2list",
        ),
        ".backend": ("BaseVisBackend", "LocalVisBackend"),
        ".confusion": ("draw_confusion_matrix",),
        ".conversions": (
            "color_str2rgb",
            "color_val_matplotlib",
            "convert_overlay_heatmap",
            "img_from_canvas",
            "tensor2ndarray",
        ),
        ".environment": ("force_init_env",),
        ".image_folder_backend": ("ImageFolderBackend",),
        ".prediction_visualizer": ("PredictionVisualizer",),
        ".tensorboard_backend": ("TensorboardVisBackend",),
        ".trackers": (
            "AimVisBackend",
            "ClearMLVisBackend",
            "DVCLiveVisBackend",
            "MLflowVisBackend",
            "NeptuneVisBackend",
        ),
        ".visualizer": ("Visualizer",),
        ".wandb_backend": ("WandbVisBackend",),
        ".window": ("wait_continue",),
    },
)
