# Paths are text here: pathlib would change URIs, and costs in hot calls.
# ruff: noqa: PTH103, PTH105, PTH108, PTH114, PTH116, PTH118
"""Local writes that a reader sees whole or not at all.

The new content goes into a partial file beside the target, is flushed to disk, and then takes
the target's name in one step. A partial file is locked while its writer lives; what a killed
writer left is found by its name, without listing the folder, and reused or removed by the next
write to the same target.
"""

import contextlib
import hashlib
import io
import os
import stat
from collections.abc import Iterator
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PARTIAL_SUFFIX = ".eng-partial"
_SLOTS = 8  # writers of one file at one time; a ninth waits
_CHUNK = 1 << 20


def is_partial(name: str) -> bool:
    """Say whether a file name is one of an unfinished write."""
    return name.startswith(".") and name[:-2].endswith(PARTIAL_SUFFIX)


@contextlib.contextmanager
def atomic_write(path: str, if_absent: bool = False) -> Iterator[Any]:
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
        io.UnsupportedOperation: With ``if_absent``, on a file system without hard links.
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
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    base = os.path.join(folder, f".{name}{PARTIAL_SUFFIX}")
    fd, partial = _claim(base)
    try:
        with os.fdopen(fd, "w+b") as file:
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(fd, stat.S_IMODE(mode))
            yield file
            file.flush()
            os.fsync(fd)
            if fcntl is not None:
                _publish(partial, target, if_absent)
        if fcntl is None:  # Windows renames closed files only
            _publish(partial, target, if_absent)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
        raise
    _sync_folder(folder or ".")
    _sweep(base)


def write_stream(source: Any, file: Any, path: str) -> None:
    """Copy bytes, or the rest of a binary file, into ``file``.

    Raises:
        TypeError: If ``source`` is neither bytes-like nor a file that yields bytes.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        file.write(source)
        return
    read = binary_reader(source, path)
    while chunk := read(_CHUNK):
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise TypeError(
                f"{path}: the file to be stored yields {type(chunk).__name__}; open it in mode 'rb'"
            )
        file.write(chunk)


def binary_reader(source: Any, path: str) -> Any:
    """Return the ``read`` of a file-like object.

    Raises:
        TypeError: If ``source`` has none, or is open as text.
    """
    read = getattr(source, "read", None)
    if read is None or isinstance(source, io.TextIOBase):
        kind = "a text file" if read else type(source).__name__
        raise TypeError(
            f"{path}: expected bytes, bytearray, memoryview or a binary file, got {kind}"
            + ("; put_text stores text" if isinstance(source, str) else "")
        )
    return read


def _claim(base: str) -> tuple[int, str]:
    """Open and lock a partial file of this target that no live writer holds."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    if fcntl is None:
        partial = f"{base}{os.urandom(1)[0] % 10:02d}"
        return os.open(partial, flags | os.O_EXCL, 0o666), partial
    while True:
        for slot in range(_SLOTS):
            partial = f"{base}.{slot}"
            fd = os.open(partial, flags, 0o666)
            wait = slot == _SLOTS - 1
            if _lock(fd, partial, wait):
                os.ftruncate(fd, 0)
                return fd, partial
            os.close(fd)


def _lock(fd: int, partial: str, wait: bool) -> bool:
    """Lock; then make sure that the name still is this file (its writer may just have renamed)."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
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


def _sweep(base: str) -> None:
    """Remove the partial files of writers that were killed."""
    if fcntl is None:
        return
    for slot in range(_SLOTS):
        partial = f"{base}.{slot}"
        try:
            fd = os.open(partial, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        except OSError:
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
    finally:
        os.close(fd)
