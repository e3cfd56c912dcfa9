"""Older interface of backends, replaced by :mod:`eng.fileio.functions`."""

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from .backends.base import BaseStorageBackend, Suffix
from .backends.registry import (
    BackendArgs,
    backend_name,
    get_backend_class,
    get_file_backend,
    register_backend,
)
from .errors import ArgumentValueError
from .uris import PathLike, parse_uri_prefix

__all__ = ["FileClient"]


class FileClient:
    """A general file client to access files in different backends.

    The backend is chosen by its name or by the prefix of a path; the name takes precedence. The
    default is the local disk. The same arguments return the same object.

    Attributes:
        client (BaseStorageBackend): The backend object.
    """

    client: BaseStorageBackend
    _instances: dict[str, "FileClient"] = {}  # noqa: RUF012
    _warned = False

    def __new__(
        cls, backend: str | None = None, prefix: str | None = None, **kwargs: Any
    ) -> "FileClient":
        """Return the client of these arguments, which is created once.

        Args:
            backend: "disk", "memcached", "lmdb", "http", "petrel", "s3" or a registered name.
                Defaults to None.
            prefix: "s3", "http", "https", … or a registered prefix. Defaults to None.
            **kwargs: Arguments of the backend.

        Raises:
            ValueError: If the backend or prefix is unknown; the message lists the known ones.
        """
        if not FileClient._warned:
            FileClient._warned = True
            warnings.warn(
                "FileClient will be deprecated in future, use the functions of eng.fileio instead",
                DeprecationWarning,
                stacklevel=2,
            )
        if backend is None:
            backend = "disk" if prefix is None else backend_name(prefix)
        get_backend_class(backend)
        key = f"{cls.__qualname__}:{backend}:{prefix}:{sorted(kwargs.items())!r}"
        if key not in cls._instances:
            client = super().__new__(cls)
            client.client = get_file_backend(backend_args={"backend": backend, **kwargs})
            cls._instances[key] = client
        return cls._instances[key]

    @property
    def name(self) -> str:
        """Class name of the backend."""
        return self.client.name

    @property
    def allow_symlink(self) -> bool:
        """Whether the backend supports symbolic links."""
        return self.client.allow_symlink

    @staticmethod
    def parse_uri_prefix(uri: PathLike) -> str | None:
        """Return the prefix of a URI, or None if it has none.

        Example:
            >>> FileClient.parse_uri_prefix("s3://path/of/your/file")
            's3'
        """
        return parse_uri_prefix(uri) or None

    @classmethod
    def infer_client(
        cls, file_client_args: BackendArgs = None, uri: PathLike | None = None
    ) -> "FileClient":
        """Return the client for ``file_client_args`` or, without them, for the prefix of ``uri``.

        Raises:
            ValueError: If both are None.
        """
        if file_client_args is not None:
            return cls(**file_client_args)
        if uri is None:
            raise ArgumentValueError("infer_client requires file_client_args or uri")
        return cls(prefix=cls.parse_uri_prefix(uri))

    @classmethod
    def register_backend(
        cls,
        name: str,
        backend: type[BaseStorageBackend] | None = None,
        force: bool = False,
        prefixes: str | list[str] | tuple[str, ...] | None = None,
    ) -> Any:
        """Register a backend; the same as :func:`eng.fileio.register_backend`."""
        if force:
            cls._instances.clear()
        return register_backend(name, backend, force, prefixes)

    def get(self, filepath: PathLike) -> bytes | memoryview:
        """Read the bytes of a file; some backends return a ``memoryview``."""
        return self.client.get(filepath)

    def get_text(self, filepath: PathLike, encoding: str = "utf-8") -> str:
        """Read the text of a file."""
        return self.client.get_text(filepath, encoding)

    def put(self, obj: bytes, filepath: PathLike) -> None:
        """Write bytes to a file, creating its directory if it is missing."""
        self.client.put(obj, filepath)

    def put_text(self, obj: str, filepath: PathLike, encoding: str = "utf-8") -> None:
        """Write text to a file, creating its directory if it is missing."""
        self.client.put_text(obj, filepath, encoding)

    def remove(self, filepath: PathLike) -> None:
        """Remove a file."""
        self.client.remove(filepath)

    def exists(self, filepath: PathLike) -> bool:
        """Check whether a file path exists."""
        return self.client.exists(filepath)

    def isdir(self, filepath: PathLike) -> bool:
        """Check whether a file path is a directory."""
        return self.client.isdir(filepath)

    def isfile(self, filepath: PathLike) -> bool:
        """Check whether a file path is a file."""
        return self.client.isfile(filepath)

    def join_path(self, filepath: PathLike, *filepaths: PathLike) -> str:
        """Join path components."""
        return self.client.join_path(filepath, *filepaths)

    def get_local_path(self, filepath: PathLike) -> AbstractContextManager[str]:
        """Yield a local path with the content of ``filepath``, in a ``with`` statement."""
        return self.client.get_local_path(filepath)

    def list_dir_or_file(
        self,
        dir_path: PathLike,
        list_dir: bool = True,
        list_file: bool = True,
        suffix: Suffix = None,
        recursive: bool = False,
    ) -> Iterator[str]:
        """Scan a directory; see :func:`eng.fileio.list_dir_or_file`."""
        return self.client.list_dir_or_file(dir_path, list_dir, list_file, suffix, recursive)
