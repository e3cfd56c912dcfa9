"""Write the weights of a checkpoint alone, for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

import torch
from torch import Tensor

from eng.fileio import get_file_backend
from eng.utils import UserError

from .saver import save_checkpoint

__all__ = ["FORMATS", "export_weights", "parse_safetensors"]

#: Formats that weights are written in, by their ending.
FORMATS = ("safetensors", "pth")
_HINT = "pip install 'eng-checkpoint[safetensors]'"


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
        raise UserError(f"to write safetensors: {_HINT}") from error

    def write(file: BinaryIO) -> None:
        # The format has no tensors that share memory.
        whole = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
        file.write(save(whole, metadata={"format": "pt"}))

    get_file_backend(filename).put_with(write, filename)


def parse_safetensors(content: bytes, filename: str) -> dict[str, Tensor]:
    """Read the tensors of a file of safetensors.

    Args:
        content: What the file holds.
        filename: Its name, for messages.

    Returns:
        Tensors by name.

    Raises:
        ImportError: If the package safetensors is not installed.
        ValueError: If it is not such a file, or a damaged one.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load
    except ImportError as error:
        raise ImportError(f"{filename}: to read safetensors: {_HINT}") from error
    try:
        tensors: dict[str, torch.Tensor] = load(content)
    except SafetensorError as error:
        raise ValueError(f"{filename} is not a whole file of safetensors: {error}") from error
    return tensors
