# Paths are strings here: pathlib would change URIs, and is slow in hot calls.
# ruff: noqa: PTH118
"""Stores of fsspec: ``memory://``, ``gs://``, ``az://``, ``hf://``, ``zip://``, …."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..atomic import atomic_write
from ..override import override
from ..streams import write_stream
from ..types import BytesSource
from ..uris import PathLike, check_relative, to_text
from .base import Suffix, check_suffix, is_hidden
from .remote import RemoteBackend

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = ["FsspecBackend"]


class FsspecBackend(RemoteBackend):
    """Backend for all protocols of fsspec.

    Args:
        **storage_options: Storage options of the file system, passed to fsspec.

    Example:
        >>> backend = FsspecBackend()
        >>> backend.put(b"hello", "memory://folder/file")
        >>> backend.get("memory://folder/file")
        b'hello'
    """

    def __init__(self, **storage_options: Any) -> None:
        self.storage_options = storage_options

    @override
    def get(self, filepath: PathLike) -> bytes:
        """Read the bytes of a file."""
        fs, path = self._open(filepath)
        with self._translate_errors(fs, path, filepath):
            return fs.cat_file(path)

    @override
    def put(self, obj: BytesSource, filepath: PathLike, *, if_absent: bool = False) -> None:
        """Store bytes or the content of a binary file.

        A file is first copied to a local temporary file, so that an error of the source leaves the
        old content.

        Raises:
            NotImplementedError: With ``if_absent``, which not all stores of fsspec guarantee.
        """
        if if_absent:
            raise NotImplementedError(
                f"{to_text(filepath)}: {self.name} does not support if_absent; "
                "local files and s3:// do"
            )
        fs, path = self._open(filepath)
        if fs.isdir(path):
            raise IsADirectoryError(21, "is a directory, a file was expected", to_text(filepath))
        self._make_parent(fs, path)
        if isinstance(obj, (bytes, bytearray, memoryview)):
            fs.pipe_file(path, bytes(obj))
            return
        with tempfile.TemporaryDirectory(prefix="eng-fileio-") as folder:
            spool = os.path.join(folder, "spool")
            with open(spool, "wb") as file:  # noqa: PTH123
                write_stream(obj, file, to_text(filepath))
            fs.put_file(spool, path)

    @override
    def isfile(self, filepath: PathLike) -> bool:
        """Check whether a file path is a file."""
        fs, path = self._open(filepath)
        return bool(fs.isfile(path))

    @override
    def isdir(self, filepath: PathLike) -> bool:
        """Check whether a file path is a directory."""
        fs, path = self._open(filepath)
        return bool(fs.isdir(path))

    @override
    def list_dir_or_file(
        self,
        dir_path: PathLike,
        list_dir: bool = True,
        list_file: bool = True,
        suffix: Suffix = None,
        recursive: bool = False,
    ) -> Iterator[str]:
        """List a directory, level by level; see :meth:`LocalBackend.list_dir_or_file`."""
        check_suffix(suffix)
        fs, root = self._open_folder(dir_path)
        return _walk(fs, root, list_dir and suffix is None, list_file, suffix, recursive)

    @override
    def _list_names(self, root: str) -> Iterator[str]:
        fs, folder = self._open_folder(root)
        return _walk(fs, folder, False, True, None, recursive=True, hidden=True)

    def _open_folder(self, dir_path: PathLike) -> tuple[AbstractFileSystem, str]:
        fs, root = self._open(dir_path)
        if not fs.isdir(root):
            self._raise_missing_directory(to_text(dir_path))
        return fs, root

    @override
    def rmtree(self, dir_path: PathLike) -> None:
        """Delete a directory and everything in it."""
        super().rmtree(dir_path)
        fs, path = self._open(dir_path)
        if fs.isdir(path):  # only empty directories are left, if the store has directories
            fs.rm(path, recursive=True)

    @override
    def _copy(self, src: str, dst: str) -> None:
        fs, source = self._open(src)
        _, target = self._open(dst)
        self._make_parent(fs, target)
        with self._translate_errors(fs, source, src):
            fs.cp_file(source, target)

    @override
    def _delete(self, path: str) -> None:
        fs, key = self._open(path)
        fs.rm_file(key)

    @override
    def _download(self, filepath: str, local: str) -> None:
        fs, path = self._open(filepath)
        with (
            self._translate_errors(fs, path, filepath),
            fs.open(path, "rb") as reader,
            atomic_write(local) as file,
        ):
            write_stream(reader, file, filepath)

    def _open(self, filepath: PathLike) -> tuple[AbstractFileSystem, str]:
        from fsspec.core import url_to_fs

        text = to_text(filepath)
        protocol, _, rest = text.partition("://")
        check_relative(rest.split("::")[0].lstrip("/"), f"{protocol}://")
        try:
            fs, path = url_to_fs(text, **self.storage_options)
        except ImportError as error:
            raise ImportError(f"{protocol}:// paths require another package: {error}") from error
        return fs, path

    @staticmethod
    def _make_parent(fs: AbstractFileSystem, path: str) -> None:
        parent = fs._parent(path)
        if parent.strip("/"):
            fs.makedirs(parent, exist_ok=True)

    @contextlib.contextmanager
    def _translate_errors(
        self, fs: AbstractFileSystem, path: str, filepath: PathLike
    ) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, IsADirectoryError) as error:
            if fs.isdir(path):
                raise IsADirectoryError(
                    21, "is a directory, a file was expected", to_text(filepath)
                ) from error
            raise FileNotFoundError(2, "no such file", to_text(filepath)) from error


def _walk(
    fs: AbstractFileSystem,
    root: str,
    list_dir: bool,
    list_file: bool,
    suffix: Suffix,
    recursive: bool,
    hidden: bool = False,
) -> Iterator[str]:
    folders = [(root, "")]
    while folders:
        folder, relative = folders.pop()
        for entry in fs.ls(folder, detail=True):
            name = entry["name"].rstrip("/").rpartition("/")[2]
            if entry["type"] == "directory":
                if list_dir:
                    yield relative + name
                if recursive:
                    folders.append((entry["name"], f"{relative}{name}/"))
            elif (
                list_file
                and (suffix is None or name.endswith(suffix))
                and (hidden or not is_hidden(name))
            ):
                yield relative + name
