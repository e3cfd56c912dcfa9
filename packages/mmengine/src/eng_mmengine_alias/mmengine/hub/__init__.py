"""Names of mmengine.hub, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.hub import get_config as get_config
    from eng.hub import get_model as get_model

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.hub": "get_config get_model",
    },
    modules="hub",
)
