"""Export the weights of a checkpoint for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from torch import Tensor

from eng.fileio import get_file_backend
from eng.utils import UserError

from .safetensors_file import INSTALL_HINT
from .saver import save_checkpoint
from .types import BackendArgs

__all__ = ["export_weights"]


def export_weights(
    weights: Mapping[str, object],
    filename: str,
    to: str,
    backend_args: BackendArgs | None = None,
) -> None:
    """Save tensors by name.

    Args:
        weights: The tensors; other values are left out.
        filename: Path or URL of the file.
        to: ``'safetensors'`` or ``'pth'``, which :func:`torch.load` reads.
        backend_args: Arguments of the storage backend. Defaults to None.

    Raises:
        UserError: If the package safetensors is not installed.
    """
    tensors = {
        name: value.detach().cpu() for name, value in weights.items() if isinstance(value, Tensor)
    }
    if to == "pth":
        save_checkpoint(tensors, filename, backend_args=backend_args)
        return
    try:
        from safetensors.torch import save
    except ImportError as error:
        raise UserError(f"exporting to safetensors requires: {INSTALL_HINT}") from error

    def write(file: BinaryIO) -> None:
        # The format does not support tensors that share memory.
        copies = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
        file.write(save(copies, metadata={"format": "pt"}))

    get_file_backend(filename, backend_args=backend_args).put_with(write, filename)
