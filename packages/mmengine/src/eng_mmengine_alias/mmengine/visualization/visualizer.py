"""Names of mmengine.visualization.visualizer, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import Config as Config
    from eng.dist import master_only as master_only
    from eng.registry import VISBACKENDS as VISBACKENDS
    from eng.registry import VISUALIZERS as VISUALIZERS
    from eng.structures import BaseDataElement as BaseDataElement
    from eng.utils import ManagerMixin as ManagerMixin
    from eng.utils import is_seq_of as is_seq_of
    from eng.vis import BaseVisBackend as BaseVisBackend
    from eng.vis import Visualizer as Visualizer
    from eng.vis import check_type as check_type
    from eng.vis import check_type_and_length as check_type_and_length
    from eng.vis import color_str2rgb as color_str2rgb
    from eng.vis import color_val_matplotlib as color_val_matplotlib
    from eng.vis import convert_overlay_heatmap as convert_overlay_heatmap
    from eng.vis import img_from_canvas as img_from_canvas
    from eng.vis import tensor2ndarray as tensor2ndarray
    from eng.vis import value2list as value2list
    from eng.vis import wait_continue as wait_continue

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "Config",
        "eng.dist": "master_only",
        "eng.registry": "VISBACKENDS VISUALIZERS",
        "eng.structures": "BaseDataElement",
        "eng.utils": "ManagerMixin is_seq_of",
        "eng.vis": "BaseVisBackend Visualizer check_type check_type_and_length color_str2rgb color_val_matplotlib convert_overlay_heatmap img_from_canvas tensor2ndarray value2list wait_continue",
    },
)
