"""Storage backends. All except the local ones are imported when they are first used."""

import importlib
from typing import TYPE_CHECKING

from .base import BaseStorageBackend
from .local import HardDiskBackend, LocalBackend
from .registry import get_file_backend, merged_backend_args, register_backend

if TYPE_CHECKING:
    from .fsspec import FsspecBackend
    from .http import HTTPBackend
    from .lmdb import LmdbBackend
    from .memcached import MemcachedBackend
    from .remote import RemoteBackend
    from .s3 import PetrelBackend, S3Backend

__all__ = [
    "BaseStorageBackend",
    "FsspecBackend",
    "HTTPBackend",
    "HardDiskBackend",
    "LmdbBackend",
    "LocalBackend",
    "MemcachedBackend",
    "PetrelBackend",
    "RemoteBackend",
    "S3Backend",
    "get_file_backend",
    "merged_backend_args",
    "register_backend",
]

#: Modules of the backends that are imported when they are first used.
LATE = {
    "FsspecBackend": "fsspec",
    "HTTPBackend": "http",
    "LmdbBackend": "lmdb",
    "MemcachedBackend": "memcached",
    "PetrelBackend": "s3",
    "RemoteBackend": "remote",
    "S3Backend": "s3",
}


def __getattr__(name: str) -> object:
    if name not in LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{LATE[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
