"""Names of mmengine.visualization, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.vis import AimVisBackend as AimVisBackend
    from eng.vis import BaseVisBackend as BaseVisBackend
    from eng.vis import ClearMLVisBackend as ClearMLVisBackend
    from eng.vis import DVCLiveVisBackend as DVCLiveVisBackend
    from eng.vis import LocalVisBackend as LocalVisBackend
    from eng.vis import MLflowVisBackend as MLflowVisBackend
    from eng.vis import NeptuneVisBackend as NeptuneVisBackend
    from eng.vis import TensorboardVisBackend as TensorboardVisBackend
    from eng.vis import Visualizer as Visualizer
    from eng.vis import WandbVisBackend as WandbVisBackend

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.vis": "AimVisBackend BaseVisBackend ClearMLVisBackend DVCLiveVisBackend LocalVisBackend MLflowVisBackend NeptuneVisBackend TensorboardVisBackend Visualizer WandbVisBackend",
    },
    modules="utils vis_backend visualizer",
)
