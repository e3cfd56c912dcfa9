"""Names of mmengine.visualization.utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.vis import check_length as check_length
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
        "eng.vis": "check_length check_type check_type_and_length color_str2rgb color_val_matplotlib convert_overlay_heatmap img_from_canvas tensor2ndarray value2list wait_continue",
    },
)
