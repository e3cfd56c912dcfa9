"""Names of mmengine.config, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import Config as Config
    from eng.config import ConfigDict as ConfigDict
    from eng.config import DictAction as DictAction
    from eng.config import read_base as read_base

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "Config ConfigDict DictAction read_base",
    },
    modules="config lazy utils",
)
