"""Save checkpoints atomically."""

from __future__ import annotations

from typing import BinaryIO

import torch

from eng.fileio import get_file_backend, merged_backend_args
from eng.utils import StateDict

from .types import BackendArgs

__all__ = ["save_checkpoint"]


def save_checkpoint(
    checkpoint: StateDict,
    filename: str,
    file_client_args: BackendArgs | None = None,
    backend_args: BackendArgs | None = None,
) -> None:
    """Save a checkpoint atomically: readers see the complete file or the previous one.

    Args:
        checkpoint: Tensors and plain data by name.
        filename: Path or URL of the file.
        file_client_args: Older name of ``backend_args``. Defaults to None.
        backend_args: Arguments of the storage backend, see :func:`eng.fileio.get_file_backend`.
            Defaults to None.

    Raises:
        ValueError: If both ``backend_args`` and ``file_client_args`` are given.
        OSError: If the file cannot be written. It names the file.
    """
    backend_args = merged_backend_args("save_checkpoint", file_client_args, backend_args)
    backend = get_file_backend(filename, backend_args=backend_args)
    try:
        # written to a temporary file and renamed: a killed process leaves no partial checkpoint
        backend.put_with(lambda file: _write(checkpoint, file), filename)
    except OSError as error:
        if error.errno is not None and error.filename is None:  # such as of a full disk
            error.filename = filename
        raise


def _write(checkpoint: StateDict, file: BinaryIO) -> None:
    try:
        torch.save(checkpoint, file)
    except RuntimeError as error:
        # After a failed write, torch still closes its archive and reports that error instead.
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise
