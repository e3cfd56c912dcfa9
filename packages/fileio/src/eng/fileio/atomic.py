# Paths are strings here: pathlib would change URIs, and is slow in hot calls.
# ruff: noqa: PTH103, PTH105, PTH108, PTH114, PTH116, PTH118
"""Atomic local writes: a reader sees the old content or the new.

The new content is written to a partial file in the same directory, flushed to disk, and renamed to
the target. A partial file is locked while its writer is alive; those of killed writers are found by
their names, without listing the directory, and reused or removed by the next write to the same
target. If files cannot be locked, a partial file that was not modified for an hour is considered
stale.
"""

import contextlib
import errno
import io
import os
import stat
import time
from collections.abc import Iterator
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["atomic_write", "is_partial"]

PARTIAL_SUFFIX = ".eng-partial"
_SLOTS = 8  # concurrent writers of a file; a ninth waits
_STALE_S = 3600
_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)
_OF_THE_TARGET = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def is_partial(name: str) -> bool:
    """Return whether a file name is that of an unfinished write."""
    return name.startswith(".") and name[:-2].endswith(PARTIAL_SUFFIX)


@contextlib.contextmanager
def atomic_write(path: str, if_absent: bool = False) -> Iterator[BinaryIO]:
    """Open ``path`` for writing bytes; it changes only if the block ends without an error.

    Missing directories are created. An existing file keeps its mode, and the target of a symbolic
    link is replaced, not the link. Devices and pipes are written directly.

    Args:
        path: Path of the target.
        if_absent: Raise ``FileExistsError`` if the target exists at the end of the write.

    Yields:
        A binary file, open for reading and writing.

    Raises:
        FileExistsError: With ``if_absent``, if the target exists.
        IsADirectoryError: If the target is a directory.
        NotADirectoryError: If a parent of the target is a file.
        PermissionError: If the directory is not writable.
        io.UnsupportedOperation: With ``if_absent``, on a file system without hard links.
        OSError: If the disk is full; the message has the target.
    """
    if if_absent and os.path.lexists(path):
        raise FileExistsError(17, "already exists, but if_absent is set", path)
    target = os.path.realpath(path) if os.path.islink(path) else path
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(21, "is a directory, a file was expected", path)
    if mode is not None and not stat.S_ISREG(mode):
        with open(target, "wb") as file:  # noqa: PTH123
            yield file
        return
    folder, name = os.path.split(target)
    os.makedirs(folder or ".", exist_ok=True)
    base = os.path.join(folder, f".{_shorten(name)}{PARTIAL_SUFFIX}")
    try:
        fd, partial, is_locked = _claim(base)
    except PermissionError as error:
        reason = f"cannot write {error.filename!r}, which is renamed to this file when complete"
        raise PermissionError(error.errno, reason, path) from error
    try:
        with os.fdopen(fd, "w+b") as file:
            try:
                if mode is not None and hasattr(os, "fchmod"):
                    os.fchmod(fd, stat.S_IMODE(mode))
                yield file
                # Flushed before the rename: after a crash the name must not lead to lost content.
                file.flush()
                os.fsync(fd)
                if is_locked:
                    _publish(partial, target, if_absent)
            except BaseException:
                if is_locked:  # after the lock is released, the name may belong to another writer
                    _remove(partial)
                raise
        if not is_locked:  # Windows, which has no such locks, renames only closed files
            _publish(partial, target, if_absent)
    except BaseException as error:
        if not is_locked:
            _remove(partial)
        if isinstance(error, OSError) and error.filename is None and error.errno in _OF_THE_TARGET:
            error.filename = path
        raise
    _sync_directory(folder or ".")
    _sweep(base, is_locked)


def _shorten(name: str) -> str:
    """Replace a long name by a digest, since the longer name of the partial file must fit too."""
    if len(os.fsencode(name)) <= 200:
        return name
    import hashlib

    return hashlib.sha256(os.fsencode(name)).hexdigest()


def _claim(base: str) -> tuple[int, str, bool]:
    """Open a partial file that no live writer uses; return whether it is locked."""
    while fcntl is not None:
        for slot in range(_SLOTS):
            partial = f"{base}.{slot}"
            fd, is_new = _open_partial(partial)
            is_ours = _lock(fd, partial, wait=slot == _SLOTS - 1)
            if is_ours:
                os.ftruncate(fd, 0)
                return fd, partial, True
            os.close(fd)
            if is_ours is None:
                if is_new:
                    os.unlink(partial)
                return _claim_unlocked(base)
    return _claim_unlocked(base)


def _open_partial(partial: str) -> tuple[int, bool]:
    """Open a partial file; return whether it is new."""
    while True:
        try:
            return os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o666), True
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):  # its writer has renamed it
                return os.open(partial, os.O_RDWR | _BINARY), False


def _claim_unlocked(base: str) -> tuple[int, str, bool]:
    while True:
        _sweep(base, is_locked=False)
        for slot in range(_SLOTS):
            partial = f"{base}.{slot}"
            with contextlib.suppress(FileExistsError):
                fd = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
                return fd, partial, False
        time.sleep(0.05)


def _lock(fd: int, partial: str, wait: bool) -> bool | None:
    """Lock a partial file; return None if the file system does not support locks.

    The name must still lead to this file, since its writer may have renamed it.
    """
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:  # some network file systems
            return None
        raise
    try:
        return os.path.samestat(os.fstat(fd), os.stat(partial))
    except FileNotFoundError:
        return False


def _publish(partial: str, target: str, if_absent: bool) -> None:
    if not if_absent:
        os.replace(partial, target)
        return
    try:
        os.link(partial, target)  # unlike a rename, fails if the target exists
    except FileExistsError:
        raise FileExistsError(17, "already exists, but if_absent is set", target) from None
    except OSError as error:
        raise io.UnsupportedOperation(
            f"{target}: if_absent requires hard links, which this file system does not support "
            f"({error})"
        ) from error
    os.unlink(partial)


def _remove(partial: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(partial)


def _sweep(base: str, is_locked: bool) -> None:
    """Remove the partial files of killed writers."""
    for slot in range(_SLOTS):
        partial = f"{base}.{slot}"
        if not is_locked:
            with contextlib.suppress(FileNotFoundError):
                if time.time() - os.stat(partial).st_mtime > _STALE_S:
                    os.unlink(partial)
            continue
        try:
            fd = os.open(partial, os.O_RDWR | _BINARY)
        except FileNotFoundError:
            continue
        except PermissionError:  # of another user, who can remove it
            continue
        try:
            if _lock(fd, partial, wait=False):
                os.unlink(partial)
        finally:
            os.close(fd)


def _sync_directory(folder: str) -> None:
    """Flush the rename itself to disk, if the system supports it."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # a directory that is writable but not readable
        return
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # some flush at the rename
            raise
    finally:
        os.close(fd)
