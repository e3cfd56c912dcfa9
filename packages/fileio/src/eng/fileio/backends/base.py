# Paths are strings here: pathlib would change URIs, and is slow in hot calls.
# ruff: noqa: PTH118, PTH119
"""Base class of storage backends."""

import contextlib
import io
import os
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NoReturn

from ..errors import ArgumentTypeError
from ..uris import PathLike, join_uri, to_text

__all__ = ["BaseStorageBackend", "Suffix", "check_suffix", "is_hidden"]

Suffix = str | tuple[str, ...] | None


def check_suffix(suffix: Suffix) -> Suffix:
    """Return ``suffix`` if it is valid.

    Raises:
        TypeError: If ``suffix`` is neither ``str``, a tuple of ``str``, nor None.
    """
    parts = suffix if isinstance(suffix, tuple) else (suffix,)
    if suffix is not None and not all(isinstance(part, str) for part in parts):
        raise ArgumentTypeError(f"suffix must be a str or a tuple of str, but got {suffix!r}")
    return suffix


def is_hidden(name: str) -> bool:
    """Return whether the name of a file begins with a dot; listings leave it out."""
    return name.rpartition("/")[2].startswith(".")


class BaseStorageBackend(metaclass=ABCMeta):
    """Abstract base class of storage backends.

    Backends must implement :meth:`get`, which reads a file as bytes, and :meth:`get_text`, which
    reads it as text. All other methods are optional: those that a backend does not implement raise
    ``NotImplementedError`` with the names of the backend and the method.
    """

    _allow_symlink = False

    @property
    def name(self) -> str:
        """Class name of the backend."""
        return type(self).__name__

    @property
    def allow_symlink(self) -> bool:
        """Whether the backend supports symbolic links."""
        return self._allow_symlink

    @abstractmethod
    def get(self, filepath: PathLike) -> Any:
        """Read the bytes of a file."""

    @abstractmethod
    def get_text(self, filepath: PathLike, encoding: str = "utf-8") -> str:
        """Read the text of a file."""

    @contextlib.contextmanager
    def get_local_path(self, filepath: PathLike) -> Iterator[str]:
        """Yield the path of a local copy, which is removed at the end of the ``with`` block."""
        import tempfile

        with tempfile.TemporaryDirectory(prefix="eng-fileio-") as folder:
            # The name is kept, since readers often look at the extension.
            name = os.path.basename(to_text(filepath).rstrip("/")) or "file"
            local = os.path.join(folder, name if len(os.fsencode(name)) <= 255 else "file")
            self._download(to_text(filepath), local)
            yield local

    def put(self, obj: Any, filepath: PathLike, *, if_absent: bool = False) -> None:
        """Store bytes or the content of a binary file."""
        self._raise_unsupported("put")

    def put_with(self, write: Callable[[BinaryIO], None], filepath: PathLike) -> None:
        """Store the content that a function, such as :func:`torch.save`, writes to a binary file.

        Nothing is stored if the function raises an error. Local files are written directly,
        without a copy in memory; for other stores the content is collected in memory first.

        Args:
            write: Function of the file, which it may also read and seek, but not close.
            filepath: Path to store the content at.
        """
        content = io.BytesIO()
        write(content)
        content.seek(0)
        self.put(content, filepath)

    def put_text(self, obj: str, filepath: PathLike, encoding: str = "utf-8") -> None:
        """Store text."""
        self._raise_unsupported("put_text")

    def exists(self, filepath: PathLike) -> bool:
        """Return whether a file or directory exists."""
        self._raise_unsupported("exists")

    def isdir(self, filepath: PathLike) -> bool:
        """Return whether a directory exists."""
        self._raise_unsupported("isdir")

    def isfile(self, filepath: PathLike) -> bool:
        """Return whether a file exists."""
        self._raise_unsupported("isfile")

    def join_path(self, filepath: PathLike, *filepaths: PathLike) -> str:
        """Join path components."""
        return join_uri(filepath, *filepaths)

    def copyfile(self, src: PathLike, dst: PathLike) -> PathLike:
        """Copy a file within the store."""
        self._raise_unsupported("copyfile")

    def copytree(self, src: PathLike, dst: PathLike) -> PathLike:
        """Copy a directory within the store."""
        self._raise_unsupported("copytree")

    def copyfile_from_local(self, src: PathLike, dst: PathLike) -> PathLike:
        """Upload a file."""
        self._raise_unsupported("copyfile_from_local")

    def copytree_from_local(self, src: PathLike, dst: PathLike) -> PathLike:
        """Upload a directory."""
        self._raise_unsupported("copytree_from_local")

    def copyfile_to_local(self, src: PathLike, dst: PathLike) -> PathLike:
        """Download a file."""
        self._raise_unsupported("copyfile_to_local")

    def copytree_to_local(self, src: PathLike, dst: PathLike) -> PathLike:
        """Download a directory."""
        self._raise_unsupported("copytree_to_local")

    def remove(self, filepath: PathLike) -> None:
        """Remove a file."""
        self._raise_unsupported("remove")

    def rmtree(self, dir_path: PathLike) -> None:
        """Remove a directory and everything in it."""
        self._raise_unsupported("rmtree")

    def copy_if_symlink_fails(self, src: PathLike, dst: PathLike) -> bool:
        """Link ``dst`` to ``src``, or copy it if that fails."""
        self._raise_unsupported("copy_if_symlink_fails")

    def list_dir_or_file(
        self,
        dir_path: PathLike,
        list_dir: bool = True,
        list_file: bool = True,
        suffix: Suffix = None,
        recursive: bool = False,
    ) -> Iterator[str]:
        """List a directory."""
        self._raise_unsupported("list_dir_or_file")

    def generate_presigned_url(
        self, url: PathLike, client_method: str = "get_object", expires_in: int = 3600
    ) -> str:
        """Create a URL that works for some time without credentials."""
        self._raise_unsupported("generate_presigned_url")

    def _download(self, filepath: str, local: str) -> None:
        """Write the content of ``filepath`` to a local file, atomically."""
        from ..atomic import atomic_write

        data = self.get(filepath)
        with atomic_write(local) as file:
            file.write(data)

    def _raise_unsupported(self, call: str) -> NoReturn:
        raise NotImplementedError(f"{self.name} does not support {call!r}")
