"""Records of operations on tensors without values."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

__all__ = ["DeferralError", "Memory", "Operation", "Place", "RealTensor", "Scratch", "generator_of"]


class DeferralError(RuntimeError):
    """A model cannot be built without the values of its tensors."""


class Memory(NamedTuple):
    """Memory that tensors without values will have.

    Attributes:
        storage: Their storage, which is kept so that its number is not given to another.
        nbytes: Its size.
        device: Where it will be.
    """

    storage: torch.UntypedStorage
    nbytes: int
    device: torch.device


class Place:
    """A tensor without values: where it is in the memory that it will have.

    Args:
        memory: Number of that memory.
        tensor: The tensor on the meta device.
    """

    def __init__(self, memory: int, tensor: Tensor) -> None:
        self.memory = memory
        self.size = tuple(tensor.size())
        self.stride = tuple(tensor.stride())
        self.offset = int(tensor.storage_offset())
        self.dtype = tensor.dtype

    def covers(self, nbytes: int) -> bool:
        """Whether the tensor is the whole of a memory of a number of bytes, without gaps."""
        return self.offset == 0 and math.prod(self.size) * self.dtype.itemsize == nbytes

    def of(self, storage: torch.UntypedStorage) -> Tensor:
        """Return the tensor with the values of a storage."""
        empty = torch.empty(0, dtype=self.dtype, device=storage.device)
        return empty.set_(storage, self.offset, self.size, self.stride)


class Scratch:
    """Memory for one tensor at a time, kept from one to the next.

    Between tensors that stay, many that come and go would leave holes in the memory of the process.
    """

    def __init__(self) -> None:
        self._memory: Tensor | None = None

    def storage(self, nbytes: int, device: torch.device) -> torch.UntypedStorage:
        """Return memory for a tensor, which is that of the former one.

        Args:
            nbytes: At least this many bytes.
            device: Where it is.
        """
        memory = self._memory
        if memory is None or memory.device != device or memory.numel() < nbytes:
            self._memory = None  # free it first
            self._memory = memory = torch.empty(nbytes, dtype=torch.uint8, device=device)
        return memory.untyped_storage()


class RealTensor:
    """A tensor with values that an operation reads, and that may not change before a replay.

    Args:
        tensor: The tensor.
        is_copied: Whether to keep a copy of it.
    """

    def __init__(self, tensor: Tensor, is_copied: bool) -> None:
        self._tensor = tensor.detach().clone() if is_copied else tensor
        self._version = self._tensor._version

    def get(self) -> Tensor:
        """Return the tensor.

        Raises:
            DeferralError: If it was changed.
        """
        if self._tensor._version != self._version:
            raise DeferralError(
                f"a tensor of shape {tuple(self._tensor.shape)} was changed after parameters had "
                "been computed from it"
            )
        return self._tensor


@dataclass
class Operation:
    """An operation on tensors without values.

    Attributes:
        function: The operation of torch.
        args: Its arguments, with a :class:`Place` or a :class:`RealTensor` for each tensor.
        kwargs: Its keyword arguments, likewise.
        reads: Numbers of the memories whose values it reads.
        random_state: The device of the generator that it draws from, and its state before.
        outputs: Places of the tensors that it makes, None for what is not one.
        overwrites: Number of the memory whose former values are all replaced by it.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    reads: set[int]
    random_state: tuple[torch.device, Tensor] | None = None
    outputs: list[Place | None] = field(default_factory=list)
    overwrites: int | None = None


def generator_of(device: torch.device) -> torch.Generator:
    """Return the default generator of a device.

    Args:
        device: The device.

    Returns:
        The generator.
    """
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        return torch.cuda.default_generators[index]
    return torch.default_generator
