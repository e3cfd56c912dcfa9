"""Names of mmengine.fileio.handlers.json_handler, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.fileio import BaseFileHandler as BaseFileHandler
    from eng.fileio import JsonHandler as JsonHandler
    from eng.fileio.handlers import set_default as set_default

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.fileio": "BaseFileHandler JsonHandler",
        "eng.fileio.handlers": "set_default",
    },
)
