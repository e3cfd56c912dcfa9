"""Copy and check streams of bytes."""

import io
from collections.abc import Callable
from typing import IO

from .types import Bytes, BytesSource

__all__ = ["make_binary_reader", "write_stream"]

_CHUNK = 1 << 20


def write_stream(source: BytesSource, file: IO[bytes], path: str) -> None:
    """Copy bytes, or the rest of a binary file, to ``file``.

    Raises:
        TypeError: If ``source`` is neither bytes-like nor a file that yields bytes.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        file.write(source)
        return
    read = make_binary_reader(source, path)
    while chunk := read(_CHUNK):
        file.write(chunk)


def make_binary_reader(source: object, path: str) -> Callable[[int], Bytes]:
    """Return a ``read`` function of a file-like object that checks for bytes.

    Raises:
        TypeError: If ``source`` has no ``read``, or is open as text.
    """
    read = getattr(source, "read", None)
    if read is None or isinstance(source, io.TextIOBase):
        kind = "a text file" if read else type(source).__name__
        raise TypeError(
            f"{path}: expected bytes, bytearray, memoryview or a binary file, but got {kind}"
            + ("; use put_text for text" if isinstance(source, str) else "")
        )

    def read_bytes(size: int) -> Bytes:
        chunk = read(size)
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise TypeError(
                f"{path}: expected a binary file, but it yields {type(chunk).__name__}; open it in "
                "mode 'rb'"
            )
        return chunk

    return read_bytes
