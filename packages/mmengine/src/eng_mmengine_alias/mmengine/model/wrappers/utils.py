"""Names of mmengine.model.wrappers.utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import is_model_wrapper as is_model_wrapper
    from eng.registry import MODEL_WRAPPERS as MODEL_WRAPPERS
    from eng.registry import Registry as Registry

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "is_model_wrapper",
        "eng.registry": "MODEL_WRAPPERS Registry",
    },
)
