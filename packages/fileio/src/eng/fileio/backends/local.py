# Paths are strings here: pathlib would change URIs, and is slow in hot calls.
# ruff: noqa: PTH102, PTH103, PTH106, PTH107, PTH108, PTH110, PTH112, PTH113, PTH114, PTH116, PTH118, PTH119, PTH121, PTH208, PTH211
"""Read and write local files."""

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from ..atomic import atomic_write, is_partial
from ..override import override
from ..parallel import Failure, PartialFailureError, for_each
from ..streams import write_stream
from ..types import BytesSource
from ..uris import PathLike, to_text
from .base import BaseStorageBackend, Suffix, check_suffix

__all__ = ["HardDiskBackend", "LocalBackend", "list_all"]


class LocalBackend(BaseStorageBackend):
    """Local storage backend.

    Paths may have the prefix ``file://``. Writes are atomic: a reader sees the old content or the
    new, also after a crash.
    """

    _allow_symlink = True
    max_workers = 8

    @override
    def get(self, filepath: PathLike) -> bytes:
        """Read bytes from a given ``filepath`` with 'rb' mode.

        Raises:
            FileNotFoundError: If the file does not exist.
            IsADirectoryError: If it is a directory.
        """
        with open(_strip_file_prefix(filepath), "rb") as file:  # noqa: PTH123
            return file.read()

    @override
    def get_text(self, filepath: PathLike, encoding: str = "utf-8") -> str:
        """Read text from a given ``filepath``; line endings are kept."""
        with open(_strip_file_prefix(filepath), encoding=encoding, newline="") as file:  # noqa: PTH123
            return file.read()

    @override
    def put(self, obj: BytesSource, filepath: PathLike, *, if_absent: bool = False) -> None:
        """Write bytes to a given ``filepath``, creating its directory if it is missing.

        Args:
            obj: ``bytes``, ``bytearray``, ``memoryview`` or a binary file, which is streamed.
            filepath: Path to write data.
            if_absent: Raise ``FileExistsError`` if the file exists, also if another process creates
                it at the same time. Defaults to False.
        """
        path = _strip_file_prefix(filepath)
        with atomic_write(path, if_absent) as file:
            write_stream(obj, file, path)

    @override
    def put_with(self, write: Callable[[BinaryIO], None], filepath: PathLike) -> None:
        """Store the content that a function writes; see :meth:`BaseStorageBackend.put_with`."""
        if type(self).put is not LocalBackend.put:  # a subclass stores in a way of its own
            super().put_with(write, filepath)
            return
        with atomic_write(_strip_file_prefix(filepath)) as file:
            write(file)

    @override
    def put_text(self, obj: str, filepath: PathLike, encoding: str = "utf-8") -> None:
        """Write text to a given ``filepath``, creating its directory if it is missing."""
        self.put(obj.encode(encoding), filepath)

    @override
    def exists(self, filepath: PathLike) -> bool:
        """Check whether a file path exists."""
        return os.path.exists(_strip_file_prefix(filepath))

    @override
    def isdir(self, filepath: PathLike) -> bool:
        """Check whether a file path is a directory."""
        return os.path.isdir(_strip_file_prefix(filepath))

    @override
    def isfile(self, filepath: PathLike) -> bool:
        """Check whether a file path is a file."""
        return os.path.isfile(_strip_file_prefix(filepath))

    @override
    def join_path(self, filepath: PathLike, *filepaths: PathLike) -> str:
        """Join path components as ``os.path.join`` does."""
        return os.path.join(to_text(filepath), *(to_text(p) for p in filepaths))

    @contextlib.contextmanager
    @override
    def get_local_path(self, filepath: PathLike) -> Iterator[str]:
        """Yield ``filepath`` itself, as a string."""
        yield _strip_file_prefix(filepath)

    @override
    def copyfile(self, src: PathLike, dst: PathLike) -> PathLike:
        """Copy a file and its mode; into ``dst`` if it is a directory.

        Returns:
            The destination as passed, or the file in it if it is a directory.

        Raises:
            shutil.SameFileError: If ``src`` and ``dst`` are the same file.
        """
        import shutil

        source, target = _strip_file_prefix(src), _strip_file_prefix(dst)
        if os.path.isdir(target):
            dst = os.path.join(to_text(dst), os.path.basename(source))
            target = _strip_file_prefix(dst)
        with open(source, "rb") as reader:  # noqa: PTH123
            if os.path.exists(target) and os.path.samefile(source, target):
                raise shutil.SameFileError(f"{source!r} and {target!r} are the same file")
            with atomic_write(target) as writer:
                shutil.copyfileobj(reader, writer, 1 << 20)
                if hasattr(os, "fchmod"):
                    os.fchmod(writer.fileno(), os.fstat(reader.fileno()).st_mode & 0o7777)
        return dst

    @override
    def copytree(self, src: PathLike, dst: PathLike) -> PathLike:
        """Copy a directory to ``dst``, which must not exist, with files in parallel.

        Links are followed: their targets are copied. Modes and times are kept.

        Returns:
            The destination as passed.

        Raises:
            FileExistsError: If ``dst`` exists.
            PartialFailureError: Lists the files that were not copied; the others are copied.
        """
        import shutil

        source, target = _strip_file_prefix(src), _strip_file_prefix(dst)
        names = list_all(source)
        os.makedirs(target)
        inner = os.path.relpath(os.path.realpath(target), os.path.realpath(source))
        folders = [""]

        def files() -> Iterator[str]:
            for name in names:
                if name == inner or name.startswith(inner + "/"):  # the copy itself
                    continue
                if os.path.isdir(os.path.join(source, name)):
                    os.mkdir(os.path.join(target, name))
                    folders.append(name)
                else:
                    yield name

        def copy(name: str) -> None:
            shutil.copy2(os.path.join(source, name), os.path.join(target, name))

        for_each(copy, files(), f"copy {source} to {target}", self.max_workers)
        for name in reversed(folders):  # last, since a directory may be read-only
            shutil.copystat(os.path.join(source, name), os.path.join(target, name))
        return dst

    @override
    def copyfile_from_local(self, src: PathLike, dst: PathLike) -> PathLike:
        """Same as :meth:`copyfile`."""
        return self.copyfile(src, dst)

    @override
    def copytree_from_local(self, src: PathLike, dst: PathLike) -> PathLike:
        """Same as :meth:`copytree`."""
        return self.copytree(src, dst)

    @override
    def copyfile_to_local(self, src: PathLike, dst: PathLike) -> PathLike:
        """Same as :meth:`copyfile`."""
        return self.copyfile(src, dst)

    @override
    def copytree_to_local(self, src: PathLike, dst: PathLike) -> PathLike:
        """Same as :meth:`copytree`."""
        return self.copytree(src, dst)

    @override
    def remove(self, filepath: PathLike) -> None:
        """Remove a file.

        Raises:
            IsADirectoryError: If ``filepath`` is a directory.
            FileNotFoundError: If it does not exist.
        """
        path = _strip_file_prefix(filepath)
        if os.path.isdir(path) and not os.path.islink(path):
            raise IsADirectoryError(21, "is a directory, use rmtree", path)
        os.remove(path)

    @override
    def rmtree(self, dir_path: PathLike) -> None:
        """Recursively delete a directory tree, with its entries in parallel.

        Raises:
            FileNotFoundError: If the directory does not exist.
            NotADirectoryError: If the path is a file or a link.
            PartialFailureError: Lists the files that were not deleted; the others are deleted.
        """
        root = _strip_file_prefix(dir_path)
        if os.path.islink(root):
            raise NotADirectoryError(20, "is a link, use remove", root)
        paths = [os.path.join(root, name) for name in os.listdir(root)]
        for_each(_remove_entry, paths, f"remove {root}", self.max_workers)
        os.rmdir(root)

    @override
    def copy_if_symlink_fails(self, src: PathLike, dst: PathLike) -> bool:
        """Create a symbolic link ``dst`` to ``src``, or copy it if that fails.

        Returns:
            True for a link, False for a copy.
        """
        source, target = _strip_file_prefix(src), _strip_file_prefix(dst)
        try:
            os.symlink(source, target)
        except Exception:  # links may be unsupported or not permitted
            if os.path.isdir(source):
                self.copytree(source, target)
            else:
                self.copyfile(source, target)
            return False
        return True

    @override
    def list_dir_or_file(
        self,
        dir_path: PathLike,
        list_dir: bool = True,
        list_file: bool = True,
        suffix: Suffix = None,
        recursive: bool = False,
    ) -> Iterator[str]:
        """Scan a directory lazily, in arbitrary order.

        Symbolic links to directories are followed, except loops. Files whose names begin with a dot
        are left out.

        Args:
            dir_path: Path of the directory.
            list_dir: List the directories. Defaults to True.
            list_file: List the files. Defaults to True.
            suffix: Only list files with this suffix, and no directories. Defaults to None.
            recursive: Descend into directories. Defaults to False.

        Returns:
            An iterator of paths relative to ``dir_path``.

        Raises:
            FileNotFoundError: If the directory does not exist.
            NotADirectoryError: If the path is a file.
        """
        root = _strip_file_prefix(dir_path)
        check_suffix(suffix)
        os.scandir(root).close()  # raises an error for a wrong path here, not at the first item
        return _scan(root, list_dir and suffix is None, list_file, suffix, recursive)


class HardDiskBackend(LocalBackend):
    """Older name of :class:`LocalBackend`."""


def _strip_file_prefix(path: PathLike) -> str:
    text = path if isinstance(path, str) else to_text(path)
    return text[7:] if text.startswith("file://") else text


def _remove_entry(path: str) -> None:
    if os.path.islink(path) or not os.path.isdir(path):
        os.unlink(path)
        return
    import shutil

    failures: list[Failure] = []

    def note(function: object, failed: str, error: Any) -> None:
        error = error[1] if isinstance(error, tuple) else error
        # a directory that is not empty because of a failure is not another failure
        if not failures or error.errno != errno.ENOTEMPTY:
            failures.append((failed, error))

    # Python 3.12 has onexc and deprecates onerror
    report: Any = {"onexc" if sys.version_info >= (3, 12) else "onerror": note}
    shutil.rmtree(path, **report)
    if failures:
        raise PartialFailureError(f"remove {path}", failures, len(failures))


def list_all(root: str, list_dir: bool = True) -> Iterator[str]:
    """List everything below a local directory, including hidden files."""
    os.scandir(root).close()
    return _scan(root, list_dir, True, None, True, hidden=True)


def _scan(
    root: str,
    list_dir: bool,
    list_file: bool,
    suffix: Suffix,
    recursive: bool,
    hidden: bool = False,
) -> Iterator[str]:
    folders: list[tuple[str, str, tuple[tuple[int, int], ...]]] = [(root, "", ())]
    while folders:
        folder, relative, links = folders.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if not _is_folder(entry):
                    # The first character decides for nearly all files: they may be millions.
                    is_left_out = name[0] == "." and (not hidden or is_partial(name))
                    if list_file and (suffix is None or name.endswith(suffix)) and not is_left_out:
                        yield relative + name
                    continue
                if list_dir:
                    yield relative + name
                if not recursive:
                    continue
                inner = links
                if entry.is_symlink():
                    status = os.stat(entry.path)
                    identity = (status.st_dev, status.st_ino)
                    real, here = os.path.realpath(entry.path), os.path.realpath(folder)
                    if identity in links or os.path.commonpath([real, here]) == real:
                        continue
                    inner = (*links, identity)
                folders.append((entry.path, f"{relative}{name}/", inner))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
