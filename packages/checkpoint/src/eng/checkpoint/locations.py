"""Move tensors as :func:`torch.load` does."""

from __future__ import annotations

import io

import torch
from torch import Tensor

from .types import MapLocation

__all__ = ["move_tensors"]


def move_tensors(tensors: dict[str, Tensor], map_location: MapLocation) -> dict[str, Tensor]:
    """Move tensors on the CPU to the devices that ``map_location`` names.

    Args:
        tensors: The tensors by name.
        map_location: As for :func:`torch.load`; None is the CPU.

    Returns:
        The tensors by name.
    """
    if map_location is None:
        return tensors
    if isinstance(map_location, (str, torch.device)):
        return {name: tensor.to(map_location) for name, tensor in tensors.items()}
    # A function of storages or a dict of devices, which only torch.load applies.
    file = io.BytesIO()
    torch.save(tensors, file)
    file.seek(0)
    moved: dict[str, Tensor] = torch.load(file, map_location=map_location, weights_only=True)
    return moved
