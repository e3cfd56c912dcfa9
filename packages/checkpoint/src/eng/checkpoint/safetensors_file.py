"""Load weights from safetensors files."""

from __future__ import annotations

from torch import Tensor

from .errors import CheckpointError
from .locations import move_tensors
from .types import MapLocation

__all__ = ["INSTALL_HINT", "parse_safetensors"]

INSTALL_HINT = "pip install 'eng-checkpoint[safetensors]'"


def parse_safetensors(
    content: bytes, filename: str, map_location: MapLocation = None
) -> dict[str, Tensor]:
    """Load the tensors of a safetensors file.

    Args:
        content: Content of the file.
        filename: Name of the file, for messages.
        map_location: As for :func:`torch.load`. Defaults to None: the CPU.

    Returns:
        Tensors by name.

    Raises:
        ImportError: If the package safetensors is not installed.
        CheckpointError: If it is corrupt or not a safetensors file.
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
            f"{filename!r} is not a safetensors file, or is corrupt ({error})"
        ) from error
    return move_tensors(tensors, map_location)
