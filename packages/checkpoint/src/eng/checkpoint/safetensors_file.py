"""Read weights from files of safetensors."""

from __future__ import annotations

import io
from typing import Any

import torch
from torch import Tensor

from .errors import CheckpointError

__all__ = ["INSTALL_HINT", "parse_safetensors"]

INSTALL_HINT = "pip install 'eng-checkpoint[safetensors]'"


def parse_safetensors(content: bytes, filename: str, map_location: Any = None) -> dict[str, Tensor]:
    """Read the tensors of a file of safetensors.

    Args:
        content: Content of the file.
        filename: Its name, for messages.
        map_location: As for :func:`torch.load`. Defaults to None: the CPU.

    Returns:
        Tensors by name.

    Raises:
        ImportError: If the package safetensors is not installed.
        CheckpointError: If it is not such a file, or a damaged one.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load
    except ImportError as error:
        raise ImportError(f"{filename}: reading safetensors requires: {INSTALL_HINT}") from error
    try:
        tensors: dict[str, Tensor] = load(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{filename!r} is not a safetensors file, or a damaged one ({error})"
        ) from error
    if map_location is None:
        return tensors
    if isinstance(map_location, (str, torch.device)):
        return {name: tensor.to(map_location) for name, tensor in tensors.items()}
    # A function of storages, or a table of devices: torch knows what to do with it.
    file = io.BytesIO()
    torch.save(tensors, file)
    file.seek(0)
    moved: dict[str, Tensor] = torch.load(file, map_location=map_location, weights_only=True)
    return moved
