# Paths are text here: pathlib would change URIs, and costs in hot calls.
# ruff: noqa: PTH103, PTH105, PTH108, PTH114, PTH116, PTH118
"""Local writes that a reader sees whole or not at all.

The new content goes into a partial file beside the target, is flushed to disk, and then takes
the target's name in one step. A partial file is locked while its writer lives; what a killed
writer left is found by its name, without listing the folder, and reused or removed by the next
write to the same target. Where files cannot be locked, a partial file that was not written to for
an hour is taken for one of a killed writer.
"""

import contextlib
import errno
import io
import os
import stat
import time
from collections.abc import Iterator
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["atomic_write", "is_partial"]

PARTIAL_SUFFIX = ".eng-partial"
_SLOTS = 8  # writers of one file at one time; a ninth waits
_STALE_S = 3600
_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)
_OF_THE_TARGET = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def is_partial(name: str) -> bool:
    """Say whether a file name is one of an unfinished write."""
    return name.startswith(".") and name[:-2].endswith(PARTIAL_SUFFIX)


@contextlib.contextmanager
def atomic_write(path: str, if_absent: bool = False) -> Iterator[IO[bytes]]:
    """Open ``path`` for writing bytes; it changes only when the block ends without an error.

    Missing folders are made. An existing file keeps its mode, and a symbolic link stays and gets
    new content behind it. Devices and pipes are written directly.

    Args:
        path: The target.
        if_absent: Raise ``FileExistsError`` when the target exists at the end of the write.

    Yields:
        A binary file, open for reading and writing.

    Raises:
        FileExistsError: With ``if_absent``, if the target exists.
        IsADirectoryError: If the target is a folder.
        NotADirectoryError: If a file stands where a folder is meant.
        PermissionError: If the folder may not be written to.
        io.UnsupportedOperation: With ``if_absent``, on a file system without hard links.
        OSError: If the disk is full; it names the target.
    """
    if if_absent and os.path.lexists(path):
        raise FileExistsError(17, "already exists, and if_absent was asked for", path)
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
    if len(os.fsencode(name)) > 200:  # the partial's longer name has to fit too
        import hashlib

        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    base = os.path.join(folder, f".{name}{PARTIAL_SUFFIX}")
    try:
        fd, partial, is_locked = _claim(base)
    except PermissionError as error:
        reason = f"may not write {error.filename!r}, which takes this name when it is whole"
        raise PermissionError(error.errno, reason, path) from error
    try:
        with os.fdopen(fd, "w+b") as file:
            try:
                if mode is not None and hasattr(os, "fchmod"):
                    os.fchmod(fd, stat.S_IMODE(mode))
                yield file
                file.flush()
                os.fsync(fd)
                if is_locked:
                    _publish(partial, target, if_absent)
            except BaseException:
                if is_locked:  # once the lock is released, the name may be another writer's
                    _remove(partial)
                raise
        if not is_locked:  # Windows, which has no such locks, renames closed files only
            _publish(partial, target, if_absent)
    except BaseException as error:
        if not is_locked:
            _remove(partial)
        if isinstance(error, OSError) and error.filename is None and error.errno in _OF_THE_TARGET:
            error.filename = path
        raise
    _sync_folder(folder or ".")
    _sweep(base, is_locked)


def _claim(base: str) -> tuple[int, str, bool]:
    """Open a partial file of this target that no live writer holds; say whether it is locked."""
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
    """Open a partial file; say whether it is a new one."""
    while True:
        try:
            return os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o666), True
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):  # its writer has just renamed it
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
    """Lock a partial file; None where there are no locks.

    The name has to be still this file's: its writer may just have renamed it.
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
        os.link(partial, target)  # unlike a rename, fails where the name is taken
    except FileExistsError:
        raise FileExistsError(17, "already exists, and if_absent was asked for", target) from None
    except OSError as error:
        raise io.UnsupportedOperation(
            f"{target}: this file system makes no hard links, so if_absent cannot be kept ({error})"
        ) from error
    os.unlink(partial)


def _remove(partial: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(partial)


def _sweep(base: str, is_locked: bool) -> None:
    """Remove the partial files of writers that were killed."""
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
        except PermissionError:  # left by another user: theirs to remove
            continue
        try:
            if _lock(fd, partial, wait=False):
                os.unlink(partial)
        finally:
            os.close(fd)


def _sync_folder(folder: str) -> None:
    """Make the rename itself durable, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # a folder that may be written but not read
        return
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # some do so at the rename
            raise
    finally:
        os.close(fd)
