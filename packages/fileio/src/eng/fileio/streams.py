"""Streams of bytes: copy one into a file, or read one that must not be text."""

import io
from collections.abc import Callable
from typing import IO

from .types import Bytes, BytesSource

__all__ = ["binary_reader", "write_stream"]

_CHUNK = 1 << 20


def write_stream(source: BytesSource, file: IO[bytes], path: str) -> None:
    """Copy bytes, or the rest of a binary file, into ``file``.

    Raises:
        TypeError: If ``source`` is neither bytes-like nor a file that yields bytes.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        file.write(source)
        return
    read = binary_reader(source, path)
    while chunk := read(_CHUNK):
        file.write(chunk)


def binary_reader(source: object, path: str) -> Callable[[int], Bytes]:
    """Return the ``read`` of a file-like object, which raises ``TypeError`` on all but bytes.

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

    def read_bytes(size: int) -> Bytes:
        chunk = read(size)
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise TypeError(
                f"{path}: the file to be stored yields {type(chunk).__name__}; open it in mode 'rb'"
            )
        return chunk

    return read_bytes
