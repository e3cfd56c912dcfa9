"""Files and directories of the local file system."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from .errors import ArgumentValueError

__all__ = [
    "check_file_exist",
    "check_inner_path",
    "find_vcs_root",
    "fopen",
    "is_abs",
    "is_filepath",
    "mkdir_or_exist",
    "scandir",
    "symlink",
]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def check_inner_path(path: str | Path, what: str) -> None:
    """Raise an error if a path escapes the directory that it is to be joined to.

    Args:
        path: The path, in the local file system or another storage.
        what: Name of the argument, for the message.

    Raises:
        ArgumentValueError: The path is absolute, or escapes by ``..``; a ``ValueError``.

    Examples:
        >>> check_inner_path("curves/loss.json", "file_path")
        >>> check_inner_path("../loss.json", "file_path")
        Traceback (most recent call last):
        eng.utils.errors.ArgumentValueError: file_path is outside its directory: '../loss.json'
    """
    parts = Path(os.path.normpath(path)).parts
    if is_abs(str(path)) or parts[:1] == ("..",) or "\0" in str(path):
        raise ArgumentValueError(f"{what} is outside its directory: {str(path)!r}")


def is_filepath(x: object) -> bool:
    """Return whether ``x`` is a string or a ``Path``."""
    return isinstance(x, (str, Path))


def is_abs(path: str) -> bool:
    """Return whether a path is absolute, on this machine or in another storage.

    Args:
        path: Local path, or a URL such as ``s3://bucket/key``, which is always absolute.
    """
    return Path(path).is_absolute() or _URL.match(str(path)) is not None


def fopen(filepath: str | Path, *args: Any, **kwargs: Any) -> IO[Any]:
    """Open a file; takes the arguments of :func:`open`.

    Raises:
        ValueError: ``filepath`` is neither a string nor a ``Path``.
    """
    if not is_filepath(filepath):
        raise ValueError(
            f"`filepath` should be a string or a Path, but got {type(filepath).__name__}"
        )
    return Path(filepath).open(*args, **kwargs)


def check_file_exist(filename: str | Path, msg_tmpl: str = 'file "{}" does not exist') -> None:
    """Raise ``FileNotFoundError`` if a file does not exist.

    Args:
        filename: Path of the file.
        msg_tmpl: Message of the error; ``{}`` stands for the path.
    """
    if not Path(filename).is_file():
        raise FileNotFoundError(msg_tmpl.format(filename))


def find_vcs_root(path: str | Path, markers: Sequence[str] = (".git",)) -> str | None:
    """Return the nearest directory, from a path upwards, that contains one of the markers.

    Args:
        path: File or directory.
        markers: Names of files or directories at the root of a repository.

    Returns:
        The directory, or None if none contains a marker.
    """
    start = Path(path).expanduser().absolute()
    for folder in (start if start.is_dir() else start.parent, *start.parents):
        if any((folder / marker).exists() for marker in markers):
            return str(folder)
    return None


def mkdir_or_exist(dir_name: str | Path, mode: int = 0o777) -> None:
    """Create a directory with its parents, unless it exists.

    Args:
        dir_name: Path of the directory. ``~`` is expanded, and an empty string does nothing.
        mode: Permissions of the directory, before the umask.

    Raises:
        FileExistsError: The path is a file.
    """
    if dir_name != "":
        Path(dir_name).expanduser().mkdir(mode=mode, parents=True, exist_ok=True)


def symlink(src: str | Path, dst: str | Path, overwrite: bool = True, **kwargs: bool) -> None:
    """Create a symbolic link ``dst`` that points to ``src``.

    Args:
        src: Target of the link. A relative path is relative to the directory of ``dst``.
        dst: Path of the link.
        overwrite: Whether to replace a file or link at ``dst``, atomically.
        **kwargs: Passed to :meth:`pathlib.Path.symlink_to`.

    Raises:
        FileExistsError: ``dst`` exists and ``overwrite`` is false.
        IsADirectoryError: ``dst`` is a directory.
    """
    target = Path(dst)
    if not overwrite or not os.path.lexists(target):
        target.symlink_to(src, **kwargs)
        return
    import uuid

    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    beside.symlink_to(src, **kwargs)
    try:
        beside.replace(target)
    except OSError:
        beside.unlink()
        raise


def scandir(
    dir_path: str | Path,
    suffix: str | tuple[str, ...] | None = None,
    recursive: bool = False,
    case_sensitive: bool = True,
) -> Iterator[str]:
    """Yield the files of a directory in sorted order, without hidden files.

    Args:
        dir_path: Path of the directory.
        suffix: Suffix of the files to yield, or a tuple of suffixes. Default: all files.
        recursive: Whether to scan subdirectories. A link to a directory above it is not followed.
        case_sensitive: Whether the suffix is case-sensitive.

    Yields:
        Paths relative to ``dir_path``.

    Raises:
        TypeError: ``dir_path`` or ``suffix`` has the wrong type.
    """
    if not is_filepath(dir_path):
        raise TypeError('"dir_path" must be a string or Path object')
    if suffix is not None and not isinstance(suffix, (str, tuple)):
        raise TypeError('"suffix" must be a string or tuple of strings')
    endings: tuple[str, ...] = (suffix,) if isinstance(suffix, str) else suffix or ("",)
    if not case_sensitive:
        endings = tuple(ending.lower() for ending in endings)

    def scan(folder: Path, above: frozenset[str]) -> Iterator[str]:
        real = os.path.realpath(folder)
        if real in above:
            return
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        for entry in entries:
            if entry.is_dir():
                if recursive:
                    yield from scan(folder / entry.name, above | {real})
            elif not entry.name.startswith(".") and entry.is_file():
                name = entry.name if case_sensitive else entry.name.lower()
                if name.endswith(endings):
                    yield os.path.relpath(folder / entry.name, dir_path)

    return scan(Path(dir_path), frozenset())
