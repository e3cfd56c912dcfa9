"""List the inputs of an inferencer, and split them into batches."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import index
from typing import SupportsIndex, TypeVar, cast

from eng.fileio import isdir, join_path, list_dir_or_file

from .types import InputsType, InputType

__all__ = ["list_inputs", "take_chunks"]

ItemT = TypeVar("ItemT")


def list_inputs(inputs: InputsType) -> list[InputType]:
    """List inputs.

    Args:
        inputs: A list or tuple of inputs; the path of a directory in any storage, for its files
            sorted by name, without subdirectories; or a single input.

    Returns:
        The inputs.
    """
    if isinstance(inputs, (list, tuple)):
        return list(inputs)
    if isinstance(inputs, (str, os.PathLike)) and _is_directory(os.fspath(inputs)):
        folder = os.fspath(inputs)
        names = sorted(list_dir_or_file(folder, list_dir=False))
        return [join_path(folder, name) for name in names]
    return [cast("InputType", inputs)]


def take_chunks(inputs: Iterable[ItemT], size: int) -> Iterator[list[ItemT]]:
    """Split inputs into lists of a size; the last one may be shorter.

    Raises:
        ValueError: If the size is not an integer of at least 1.
    """
    if not isinstance(size, SupportsIndex) or index(size) < 1:
        raise ValueError(f"batch_size must be an integer of at least 1, not {size!r}")
    items = iter(inputs)
    while chunk := list(islice(items, index(size))):
        yield chunk


def _is_directory(path: str) -> bool:
    try:
        return isdir(path)
    except (NotImplementedError, ValueError, ImportError):
        # A storage without directories, such as HTTP, or a text that only looks like a URL: a
        # single input, which the pipeline reads or refuses.
        return False
