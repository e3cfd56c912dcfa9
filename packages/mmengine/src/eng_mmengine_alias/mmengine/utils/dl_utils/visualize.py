"""Names of mmengine.utils.dl_utils.visualize, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.model import BaseModel as BaseModel
    from eng.registry import MODELS as MODELS

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.model": "BaseModel",
        "eng.registry": "MODELS",
    },
    missing={
        "ToyModel": "",
        "fake_run": "",
        "runtimeinfo_step": "",
        "update_params_step": "",
    },
)
