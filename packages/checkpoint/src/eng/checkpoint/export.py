"""Write the weights of a checkpoint alone, for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from torch import Tensor

from eng.fileio import get_file_backend
from eng.utils import UserError

from .safetensors_file import INSTALL_HINT
from .saver import save_checkpoint

__all__ = ["export_weights"]


def export_weights(weights: Mapping[str, object], filename: str, to: str) -> None:
    """Write tensors by name.

    Args:
        weights: The tensors. What is not a tensor is left out.
        filename: Path or address to write to.
        to: ``'safetensors'`` or ``'pth'``, which :func:`torch.load` reads.

    Raises:
        UserError: If the package safetensors is not installed.
    """
    tensors = {
        name: value.detach().cpu() for name, value in weights.items() if isinstance(value, Tensor)
    }
    if to == "pth":
        save_checkpoint(tensors, filename)
        return
    try:
        from safetensors.torch import save
    except ImportError as error:
        raise UserError(f"to write safetensors: {INSTALL_HINT}") from error

    def write(file: BinaryIO) -> None:
        # The format has no tensors that share memory.
        whole = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
        file.write(save(whole, metadata={"format": "pt"}))

    get_file_backend(filename).put_with(write, filename)
