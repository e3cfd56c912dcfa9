"""Read and write local files, HTTP, S3, LMDB, memcached and all fsspec stores."""

from typing import TYPE_CHECKING

from . import backends
from .backends import (
    BaseStorageBackend,
    HardDiskBackend,
    LocalBackend,
    get_file_backend,
    merged_backend_args,
    register_backend,
)
from .file_client import FileClient
from .functions import (
    copy_if_symlink_fails,
    copyfile,
    copyfile_from_local,
    copyfile_to_local,
    copytree,
    copytree_from_local,
    copytree_to_local,
    exists,
    generate_presigned_url,
    get,
    get_local_path,
    get_many,
    get_text,
    isdir,
    isfile,
    join_path,
    list_dir_or_file,
    put,
    put_text,
    remove,
    rmtree,
)
from .handlers import (
    BaseFileHandler,
    JsonHandler,
    PickleHandler,
    YamlHandler,
    file_handlers,
    register_handler,
)
from .parallel import PartialFailureError
from .parse import dict_from_file, list_from_file
from .serialization import dump, load

if TYPE_CHECKING:
    from .backends import (
        FsspecBackend,
        HTTPBackend,
        LmdbBackend,
        MemcachedBackend,
        PetrelBackend,
        RemoteBackend,
        S3Backend,
    )

__version__: str  # see _version.py

__all__ = [
    "BaseFileHandler",
    "BaseStorageBackend",
    "FileClient",
    "FsspecBackend",
    "HTTPBackend",
    "HardDiskBackend",
    "JsonHandler",
    "LmdbBackend",
    "LocalBackend",
    "MemcachedBackend",
    "PartialFailureError",
    "PetrelBackend",
    "PickleHandler",
    "RemoteBackend",
    "S3Backend",
    "YamlHandler",
    "copy_if_symlink_fails",
    "copyfile",
    "copyfile_from_local",
    "copyfile_to_local",
    "copytree",
    "copytree_from_local",
    "copytree_to_local",
    "dict_from_file",
    "dump",
    "exists",
    "file_handlers",
    "generate_presigned_url",
    "get",
    "get_file_backend",
    "get_local_path",
    "get_many",
    "get_text",
    "isdir",
    "isfile",
    "join_path",
    "list_dir_or_file",
    "list_from_file",
    "load",
    "merged_backend_args",
    "put",
    "put_text",
    "register_backend",
    "register_handler",
    "remove",
    "rmtree",
]


def __getattr__(name: str) -> object:
    if name not in backends.LATE:
        from ._version import __getattr__ as version_or_error

        return version_or_error(name)
    value = getattr(backends, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
