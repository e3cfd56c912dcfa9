"""Names of mmengine.fileio.handlers.registry_utils, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.fileio import BaseFileHandler as BaseFileHandler
    from eng.fileio import JsonHandler as JsonHandler
    from eng.fileio import PickleHandler as PickleHandler
    from eng.fileio import YamlHandler as YamlHandler
    from eng.fileio import file_handlers as file_handlers
    from eng.fileio import register_handler as register_handler
    from eng.utils import is_list_of as is_list_of

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.fileio": "BaseFileHandler JsonHandler PickleHandler YamlHandler file_handlers register_handler",
        "eng.utils": "is_list_of",
    },
)
