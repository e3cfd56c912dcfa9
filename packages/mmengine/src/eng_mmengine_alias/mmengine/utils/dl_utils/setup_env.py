"""Names of mmengine.utils.dl_utils.setup_env, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.dl_utils import set_multi_processing as set_multi_processing

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.dl_utils": "set_multi_processing",
    },
)
