"""Writing checkpoints, and finding the latest."""

from __future__ import annotations

import io
from typing import Any

import torch

from eng.fileio import get_file_backend, merged_backend_args

__all__ = ["find_latest_checkpoint", "save_checkpoint"]

#: Name of the file in a work directory that holds the path of its latest checkpoint.
LAST_CHECKPOINT = "last_checkpoint"


def save_checkpoint(
    checkpoint: dict[str, Any],
    filename: str,
    file_client_args: dict[str, Any] | None = None,
    backend_args: dict[str, Any] | None = None,
) -> None:
    """Write a checkpoint so that it is there whole or not at all.

    Args:
        checkpoint: What to save: tensors and plain data.
        filename: Path or address to save it at.
        file_client_args: Settings of the storage under their older name. Defaults to None.
        backend_args: Settings of the storage, see :func:`eng.fileio.get_file_backend`. Defaults
            to None.

    Raises:
        ValueError: If both kinds of settings are given.
    """
    backend_args = merged_backend_args("save_checkpoint", file_client_args, backend_args)
    content = io.BytesIO()
    torch.save(checkpoint, content)
    content.seek(0)
    get_file_backend(filename, backend_args=backend_args).put(content, filename)


def find_latest_checkpoint(path: str) -> str | None:
    """The latest checkpoint of a work directory.

    Args:
        path: The directory.

    Returns:
        Path of the checkpoint, or None if nothing was saved there.
    """
    backend = get_file_backend(path)
    pointer = backend.join_path(path, LAST_CHECKPOINT)
    if not backend.isfile(pointer):
        return None
    return backend.get_text(pointer).strip()
