"""Parse text files into lists and dicts."""

import io
from collections.abc import Callable
from typing import Any

from .backends.registry import BackendArgs, merged_backend_args
from .serialization import find_backend
from .uris import PathLike

__all__ = ["dict_from_file", "list_from_file"]


def list_from_file(
    filename: PathLike,
    prefix: str = "",
    offset: int = 0,
    max_num: int = 0,
    encoding: str = "utf-8",
    file_client_args: BackendArgs = None,
    backend_args: BackendArgs = None,
) -> list[str]:
    """Load a text file and return its lines.

    Args:
        filename: Path of the file.
        prefix: Prefix to add to each line. Defaults to ''.
        offset: Number of lines to skip. Defaults to 0.
        max_num: Maximum number of lines to return; zero and negative numbers mean all. Defaults to
            0.
        encoding: Encoding of the file. Defaults to 'utf-8'.
        file_client_args: Older name of ``backend_args``. Defaults to None.
        backend_args: Arguments of the backend. Defaults to None.
    """
    backend_args = merged_backend_args("list_from_file", file_client_args, backend_args)
    lines = _read_lines(filename, encoding, backend_args)
    stop = offset + max_num if max_num > 0 else None
    return [prefix + line.rstrip("\r\n") for line in lines[offset:stop]]


def dict_from_file(
    filename: PathLike,
    key_type: Callable[[str], object] = str,
    encoding: str = "utf-8",
    file_client_args: BackendArgs = None,
    backend_args: BackendArgs = None,
) -> dict[Any, Any]:
    """Load a text file with two or more columns per line as a dict.

    The first column is the key; a single further column is the value, several are a list. Empty
    lines are skipped.

    Args:
        filename: Path of the file.
        key_type: Type of the keys. Defaults to ``str``.
        encoding: Encoding of the file. Defaults to 'utf-8'.
        file_client_args: Older name of ``backend_args``. Defaults to None.
        backend_args: Arguments of the backend. Defaults to None.

    Raises:
        ValueError: If a line has only one column, or its key is not of ``key_type``; the message
            has the file and line.
    """
    mapping: dict[object, object] = {}
    backend_args = merged_backend_args("dict_from_file", file_client_args, backend_args)
    lines = _read_lines(filename, encoding, backend_args)
    for number, line in enumerate(lines, 1):
        columns = line.split()
        if not columns:
            continue
        if len(columns) < 2:
            raise ValueError(f"{filename}, line {number}: expected key and value, but got {line!r}")
        try:
            key = key_type(columns[0])
        except ValueError as error:
            raise ValueError(f"{filename}, line {number}: {error}") from error
        mapping[key] = columns[1] if len(columns) == 2 else columns[1:]
    return mapping


def _read_lines(filename: PathLike, encoding: str, backend_args: BackendArgs) -> list[str]:
    backend = find_backend(filename, backend_args)
    if backend is None:
        raise TypeError(f"filename must be a path, but got {type(filename).__name__}")
    # A byte order mark is not part of the first line.
    text = backend.get_text(filename, encoding).removeprefix("\ufeff")
    return io.StringIO(text, newline=None).readlines()
