"""Names of mmengine.fileio.parse, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.fileio import FileClient as FileClient
    from eng.fileio import dict_from_file as dict_from_file
    from eng.fileio import get_text as get_text
    from eng.fileio import list_from_file as list_from_file

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.fileio": "FileClient dict_from_file get_text list_from_file",
    },
)
