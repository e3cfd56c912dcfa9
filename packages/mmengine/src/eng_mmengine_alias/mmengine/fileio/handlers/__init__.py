"""Names of mmengine.fileio.handlers, from eng.

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

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.fileio": "BaseFileHandler JsonHandler PickleHandler YamlHandler file_handlers register_handler",
    },
    modules="base json_handler pickle_handler registry_utils yaml_handler",
)
