"""Names of mmengine.visualization.vis_backend, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import Config as Config
    from eng.config import ConfigDict as ConfigDict
    from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
    from eng.fileio import dump as dump
    from eng.logging import MMLogger as MMLogger
    from eng.logging import print_log as print_log
    from eng.registry import VISBACKENDS as VISBACKENDS
    from eng.utils import digit_version as digit_version
    from eng.utils import scandir as scandir
    from eng.vis import AimVisBackend as AimVisBackend
    from eng.vis import BaseVisBackend as BaseVisBackend
    from eng.vis import ClearMLVisBackend as ClearMLVisBackend
    from eng.vis import DVCLiveVisBackend as DVCLiveVisBackend
    from eng.vis import LocalVisBackend as LocalVisBackend
    from eng.vis import MLflowVisBackend as MLflowVisBackend
    from eng.vis import NeptuneVisBackend as NeptuneVisBackend
    from eng.vis import TensorboardVisBackend as TensorboardVisBackend
    from eng.vis import WandbVisBackend as WandbVisBackend
    from eng.vis import force_init_env as force_init_env

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "Config ConfigDict",
        "eng.dl_utils": "TORCH_VERSION",
        "eng.fileio": "dump",
        "eng.logging": "MMLogger print_log",
        "eng.registry": "VISBACKENDS",
        "eng.utils": "digit_version scandir",
        "eng.vis": "AimVisBackend BaseVisBackend ClearMLVisBackend DVCLiveVisBackend LocalVisBackend MLflowVisBackend NeptuneVisBackend TensorboardVisBackend WandbVisBackend force_init_env",
    },
)
