"""Names of mmengine.runner.base_loop, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.runner import BaseLoop as BaseLoop

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.runner": "BaseLoop",
    },
)
