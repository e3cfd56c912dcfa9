"""Write checkpoints."""

from __future__ import annotations

import io
from typing import Any

import torch

from eng.fileio import get_file_backend, merged_backend_args

__all__ = ["save_checkpoint"]


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
        OSError: If it cannot be written. It names the file.
    """
    backend_args = merged_backend_args("save_checkpoint", file_client_args, backend_args)
    content = io.BytesIO()
    torch.save(checkpoint, content)
    content.seek(0)
    try:
        get_file_backend(filename, backend_args=backend_args).put(content, filename)
    except OSError as error:
        if error.errno is not None and error.filename is None:  # as that of a full disk
            error.filename = filename
        raise
