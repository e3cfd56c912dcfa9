"""Names of mmengine.fileio.handlers.pickle_handler, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.fileio import BaseFileHandler as BaseFileHandler
    from eng.fileio import PickleHandler as PickleHandler

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.fileio": "BaseFileHandler PickleHandler",
    },
)
