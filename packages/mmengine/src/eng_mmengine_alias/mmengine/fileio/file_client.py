"""Names of mmengine.fileio.file_client, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.fileio import BaseStorageBackend as BaseStorageBackend
    from eng.fileio import FileClient as FileClient
    from eng.fileio import HTTPBackend as HTTPBackend
    from eng.fileio import HardDiskBackend as HardDiskBackend
    from eng.fileio import LmdbBackend as LmdbBackend
    from eng.fileio import LocalBackend as LocalBackend
    from eng.fileio import MemcachedBackend as MemcachedBackend
    from eng.fileio import PetrelBackend as PetrelBackend
    from eng.logging import print_log as print_log
    from eng.utils import is_filepath as is_filepath

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.fileio": "BaseStorageBackend FileClient HTTPBackend HardDiskBackend LmdbBackend LocalBackend MemcachedBackend PetrelBackend",
        "eng.logging": "print_log",
        "eng.utils": "is_filepath",
    },
)
