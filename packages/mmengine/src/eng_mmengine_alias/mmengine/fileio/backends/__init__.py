"""Names of mmengine.fileio.backends, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.fileio import BaseStorageBackend as BaseStorageBackend
    from eng.fileio import HTTPBackend as HTTPBackend
    from eng.fileio import LmdbBackend as LmdbBackend
    from eng.fileio import LocalBackend as LocalBackend
    from eng.fileio import MemcachedBackend as MemcachedBackend
    from eng.fileio import PetrelBackend as PetrelBackend
    from eng.fileio import register_backend as register_backend

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.fileio": "BaseStorageBackend HTTPBackend LmdbBackend LocalBackend MemcachedBackend PetrelBackend register_backend",
    },
    missing={
        "backends": "use eng.fileio.register_backend and get_file_backend",
        "prefix_to_backends": "use eng.fileio.register_backend and get_file_backend",
    },
    modules="base http_backend lmdb_backend local_backend memcached_backend petrel_backend registry_utils",
)
