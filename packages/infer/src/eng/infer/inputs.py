"""Inputs of an inferencer: what is listed, and how it is cut into batches."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import index
from typing import Any, SupportsIndex

from eng.fileio import isdir, join_path, list_dir_or_file

__all__ = ["list_inputs", "take_chunks"]


def list_inputs(inputs: Any) -> list[Any]:
    """List inputs.

    Args:
        inputs: A list or tuple of them; the path of a folder in any storage, for the files in it
            in the order of their names, without those in its folders; or a single one.

    Returns:
        The inputs.
    """
    if isinstance(inputs, (list, tuple)):
        return list(inputs)
    if isinstance(inputs, (str, os.PathLike)) and _is_folder(os.fspath(inputs)):
        folder = os.fspath(inputs)
        names = sorted(list_dir_or_file(folder, list_dir=False))
        return [join_path(folder, name) for name in names]
    return [inputs]


def take_chunks(inputs: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Cut inputs into lists of a size; the last one may be shorter.

    Raises:
        ValueError: If the size is not a whole number of at least 1.
    """
    if not isinstance(size, SupportsIndex) or index(size) < 1:
        raise ValueError(f"the size of a batch must be a whole number of at least 1, not {size!r}")
    items = iter(inputs)
    while chunk := list(islice(items, index(size))):
        yield chunk


def _is_folder(path: str) -> bool:
    try:
        return isdir(path)
    except (NotImplementedError, ValueError, ImportError):
        # A storage without folders, such as HTTP, or a text that only looks like an address: an
        # input in itself, which the pipeline reads or says why it cannot.
        return False
