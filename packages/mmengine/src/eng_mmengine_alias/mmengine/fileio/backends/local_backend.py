"""Names of mmengine.fileio.backends.local_backend, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.fileio import BaseStorageBackend as BaseStorageBackend
    from eng.fileio import LocalBackend as LocalBackend

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.fileio": "BaseStorageBackend LocalBackend",
    },
)
