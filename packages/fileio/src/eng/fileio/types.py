"""Types of contents, files and settings."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

__all__ = ["BinaryReader", "Bytes", "BytesSource", "FileData", "OpenFile", "Settings"]


#: Bytes in memory.
Bytes: TypeAlias = bytes | bytearray | memoryview


class BinaryReader(Protocol):
    """A binary file, of which only ``read`` is used."""

    def read(self, size: int = ..., /) -> Bytes:
        """Return at most ``size`` bytes, and none at the end."""


#: Content to store: bytes, or a binary file, which is streamed.
BytesSource: TypeAlias = bytes | bytearray | memoryview | BinaryReader

#: An object that is written to a file or read from one: any that the format supports.
FileData: TypeAlias = Any

#: An open file, of text or bytes as the handler of its format requires.
OpenFile: TypeAlias = Any

#: Settings of a storage backend by name.
Settings: TypeAlias = "dict[str, Any]"
