"""Write checkpoints."""

from __future__ import annotations

from typing import Any, BinaryIO

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
    backend = get_file_backend(filename, backend_args=backend_args)
    try:
        backend.put_with(lambda file: _write(checkpoint, file), filename)
    except OSError as error:
        if error.errno is not None and error.filename is None:  # as that of a full disk
            error.filename = filename
        raise


def _write(checkpoint: dict[str, Any], file: BinaryIO) -> None:
    try:
        torch.save(checkpoint, file)
    except RuntimeError as error:
        # Where a write has failed, torch ends its archive all the same and reports that this fails.
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise
