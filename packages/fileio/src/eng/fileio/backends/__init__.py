"""Storage backends."""

from .base import BaseStorageBackend
from .fsspec import FsspecBackend
from .http import HTTPBackend
from .lmdb import LmdbBackend
from .local import HardDiskBackend, LocalBackend
from .memcached import MemcachedBackend
from .registry import get_file_backend, register_backend
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
    "register_backend",
]
