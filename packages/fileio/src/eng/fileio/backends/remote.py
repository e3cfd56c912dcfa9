# Paths are strings here: pathlib would change URIs, and is slow in hot calls.
# ruff: noqa: PTH103, PTH112, PTH118
"""Base class of remote stores: transfers built on a few basic methods."""

import os
import shutil
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import NoReturn

from ..override import override
from ..parallel import for_each
from ..uris import PathLike, check_relative, join_uri, to_text
from .base import BaseStorageBackend, Suffix

__all__ = ["RemoteBackend"]


class RemoteBackend(BaseStorageBackend):
    """A store with files by key, whose directories are common prefixes.

    Subclasses implement ``get``, ``put``, ``isfile``, ``isdir``, ``list_dir_or_file``, ``_copy``
    and ``_delete``, and may override the rest.
    """

    max_workers = 16

    @abstractmethod
    def _copy(self, src: str, dst: str) -> None:
        """Copy one file within the store."""

    @abstractmethod
    def _delete(self, path: str) -> None:
        """Delete one file."""

    @abstractmethod
    @override
    def list_dir_or_file(
        self,
        dir_path: PathLike,
        list_dir: bool = True,
        list_file: bool = True,
        suffix: Suffix = None,
        recursive: bool = False,
    ) -> Iterator[str]:
        """List a directory lazily, without hidden files, as :meth:`LocalBackend` does."""

    @override
    def get_text(self, filepath: PathLike, encoding: str = "utf-8") -> str:
        """Read text from a given ``filepath``; line endings are kept."""
        return str(self.get(filepath), encoding)

    @override
    def put_text(self, obj: str, filepath: PathLike, encoding: str = "utf-8") -> None:
        """Write text to a given ``filepath``."""
        self.put(obj.encode(encoding), filepath)

    @override
    def exists(self, filepath: PathLike) -> bool:
        """Check whether a file path exists."""
        return self.isfile(filepath) or self.isdir(filepath)

    @override
    def copyfile(self, src: PathLike, dst: PathLike) -> PathLike:
        """Copy a file within the store; into ``dst`` if it is a directory.

        Returns:
            The destination as passed, or the file in it if it is a directory.

        Raises:
            shutil.SameFileError: If ``src`` and ``dst`` are the same file.
        """
        source = to_text(src)
        target = self._resolve_target(to_text(dst), source)
        if source == target:
            raise shutil.SameFileError(f"{source!r} and {target!r} are the same file")
        self._copy(source, target)
        return dst if target == to_text(dst) else target

    @override
    def copytree(self, src: PathLike, dst: PathLike) -> PathLike:
        """Copy a directory within the store, with files in parallel.

        Returns:
            The destination as passed.

        Raises:
            FileExistsError: If ``dst`` exists.
            PartialFailureError: Lists the files that were not copied; the others are copied.
        """
        source, target = to_text(src), to_text(dst)
        names = self._list_names(source)
        if self.exists(target):
            raise FileExistsError(17, "the destination already exists", target)
        root = f"{source.rstrip('/')}/"
        inner = f"{target[len(root) :]}/" if target.startswith(root) else None
        if inner is not None:  # the copy is created inside the listed directory
            names = (name for name in names if not name.startswith(inner))
        work = lambda name: self._copy(join_uri(source, name), join_uri(target, name))  # noqa: E731
        for_each(work, names, f"copy {source} to {target}", self.max_workers)
        return dst

    @override
    def copyfile_from_local(self, src: PathLike, dst: PathLike) -> PathLike:
        """Upload a local file; into ``dst`` if it is a directory.

        Returns:
            The destination as passed, or the file in it if it is a directory.
        """
        source = os.fspath(src)
        target = self._resolve_target(to_text(dst), source)
        self._upload(source, target)
        return dst if target == to_text(dst) else target

    @override
    def copytree_from_local(self, src: PathLike, dst: PathLike) -> PathLike:
        """Upload a local directory, with files in parallel.

        Returns:
            The destination as passed.

        Raises:
            FileExistsError: If ``dst`` exists.
            PartialFailureError: Lists the files that were not uploaded; the others are uploaded.
        """
        from .local import list_all

        source, target = os.fspath(src), to_text(dst)
        names = list_all(source, list_dir=False)
        if self.exists(target):
            raise FileExistsError(17, "the destination already exists", target)
        work = lambda name: self._upload(os.path.join(source, name), join_uri(target, name))  # noqa: E731
        for_each(work, names, f"copy {source} to {target}", self.max_workers)
        return dst

    @override
    def copyfile_to_local(self, src: PathLike, dst: PathLike) -> PathLike:
        """Download a file; into ``dst`` if it is a directory.

        Returns:
            The destination as passed, or the file in it if it is a directory.
        """
        source, target = to_text(src), os.fspath(dst)
        if os.path.isdir(target):
            dst = target = os.path.join(target, source.rstrip("/").rpartition("/")[2])
        self._download(source, target)
        return dst

    @override
    def copytree_to_local(self, src: PathLike, dst: PathLike) -> PathLike:
        """Download a directory, with files in parallel.

        Returns:
            The destination as passed.

        Raises:
            FileExistsError: If ``dst`` exists.
            ValueError: If a key escapes from ``dst`` with ``..``.
            PartialFailureError: Lists the files that were not downloaded; the others are.
        """
        source, target = to_text(src), os.fspath(dst)
        names = self._list_names(source)
        os.makedirs(target)

        def work(name: str) -> None:
            check_relative(name, target)
            self._download(join_uri(source, name), os.path.join(target, *name.split("/")))

        for_each(work, names, f"copy {source} to {target}", self.max_workers)
        return dst

    @override
    def copy_if_symlink_fails(self, src: PathLike, dst: PathLike) -> bool:
        """Copy ``src`` to ``dst``, since remote stores do not support symbolic links.

        Returns:
            False.
        """
        if self.isdir(src):
            self.copytree(src, dst)
        else:
            self.copyfile(src, dst)
        return False

    @override
    def remove(self, filepath: PathLike) -> None:
        """Remove a file.

        Raises:
            FileNotFoundError: If ``filepath`` does not exist.
            IsADirectoryError: If ``filepath`` is a directory.
        """
        path = to_text(filepath)
        if not self.isfile(path):
            self._raise_missing_file(path)
        self._delete(path)

    @override
    def rmtree(self, dir_path: PathLike) -> None:
        """Delete everything in a directory, with files in parallel.

        Raises:
            FileNotFoundError: If the directory does not exist.
            NotADirectoryError: If the path is a file.
            PartialFailureError: Lists the files that were not deleted; the others are deleted.
        """
        root = to_text(dir_path)
        names = self._list_names(root)
        work = lambda name: self._delete(join_uri(root, name))  # noqa: E731
        for_each(work, names, f"remove {root}", self.max_workers)

    def _list_names(self, root: str) -> Iterable[str]:
        """Return the files below a directory to copy or remove.

        Must be overridden if :meth:`list_dir_or_file` leaves out hidden files.
        """
        return self.list_dir_or_file(root, list_dir=False, recursive=True)

    def _resolve_target(self, target: str, source: str) -> str:
        """Return the path of a copy to ``target``: a file inside it if it is a directory."""
        if target.endswith("/") or self.isdir(target):
            return join_uri(target, source.replace(os.sep, "/").rstrip("/").rpartition("/")[2])
        return target

    def _upload(self, local: str, path: str) -> None:
        with open(local, "rb") as file:  # noqa: PTH123
            self.put(file, path)

    def _raise_missing_directory(self, path: str) -> NoReturn:
        if self.isfile(path):
            raise NotADirectoryError(20, "is a file, a directory was expected", path)
        raise FileNotFoundError(2, "no such directory", path)

    def _raise_missing_file(self, path: str) -> NoReturn:
        if self.isdir(path):
            raise IsADirectoryError(21, "is a directory, a file was expected", path)
        raise FileNotFoundError(2, "no such file", path)
