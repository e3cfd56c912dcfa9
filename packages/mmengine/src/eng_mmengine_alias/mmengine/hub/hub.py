"""Names of mmengine.hub.hub, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.checkpoint import load_checkpoint as load_checkpoint
    from eng.config import Config as Config
    from eng.hub import get_config as get_config
    from eng.hub import get_model as get_model
    from eng.registry import DefaultScope as DefaultScope
    from eng.registry import MODELS as MODELS
    from eng.utils import get_installed_path as get_installed_path
    from eng.utils import install_package as install_package

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.checkpoint": "load_checkpoint",
        "eng.config": "Config",
        "eng.hub": "get_config get_model",
        "eng.registry": "DefaultScope MODELS",
        "eng.utils": "get_installed_path install_package",
    },
)
