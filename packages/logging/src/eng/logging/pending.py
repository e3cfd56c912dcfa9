"""Pending scalars: tensors that stay on their device until they are read."""

import sys
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from .types import Device, Tensor

__all__ = ["PendingTensors", "is_tensor", "read_scalar"]

# So many tensors are stacked on their device: memory stays at a few bytes per value.
_CHUNK = 256


def is_tensor(value: object) -> TypeGuard[Tensor]:
    """Return whether a value is a tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def read_scalar(value: object) -> float:
    """Convert a number, or the only element of an array or tensor, to a float.

    Raises:
        TypeError: The value is neither.
    """
    if isinstance(value, (int, float, np.number, np.bool_)) and not isinstance(
        value, np.complexfloating
    ):
        return float(value)
    size = getattr(value, "size", None)
    count = size if isinstance(size, int) else value.numel() if is_tensor(value) else 0
    if count == 1 and hasattr(value, "item"):
        return read_scalar(value.item())
    described = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else f": {value!r}"
    raise TypeError(
        f"a scalar must be a number, or an array or tensor of one element, but got "
        f"{type(value).__name__}{described}"
    )


class PendingTensors:
    """Numbered tensors of one element each that were not read yet."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._tensors: list[Tensor] = []
        self._chunks: list[tuple[list[int], Tensor]] = []

    def __bool__(self) -> bool:
        return bool(self._tensors or self._chunks)

    def add(self, number: int, tensor: Tensor) -> None:
        """Keep a copy of a tensor, on its device and without waiting for it."""
        if tensor.numel() != 1 or tensor.is_complex():
            raise TypeError(
                "a scalar must be a tensor of one real element, but got shape "
                f"{tuple(tensor.shape)} and {tensor.dtype}"
            )
        tensors = self._tensors
        if tensors:
            kind = tensors[0]
            if tensor.device != kind.device or tensor.dtype != kind.dtype:
                self._stack()
                tensors = self._tensors
        if tensor.requires_grad:
            tensor = tensor.detach()
        # A clone, since the owner may modify the tensor.
        tensors.append(tensor.reshape(()).clone() if tensor.ndim else tensor.clone())
        self._numbers.append(number)
        if len(tensors) >= _CHUNK:
            self._stack()

    def forget_before(self, number: int) -> None:
        """Drop chunks whose entries are all older than a number."""
        self._chunks = [chunk for chunk in self._chunks if chunk[0][-1] >= number]

    def take(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Move all tensors to the host, in one transfer per device, and clear them."""
        torch = sys.modules["torch"]
        if self._tensors:
            self._stack()
        by_device: dict[Device, list[tuple[list[int], Tensor]]] = {}
        for chunk in self._chunks:
            by_device.setdefault(chunk[1].device, []).append(chunk)
        numbers: list[int] = []
        values = []
        for device, chunks in by_device.items():
            # Metal does not support float64.
            wide = torch.float32 if device.type == "mps" else torch.float64
            wider = [chunk.to(wide) for _, chunk in chunks]
            joined = wider[0] if len(wider) == 1 else torch.cat(wider)
            values.append(joined.cpu().numpy().astype(np.float64, copy=False))
            for part, _ in chunks:
                numbers += part
        self._chunks = []
        joined_values = values[0] if len(values) == 1 else np.concatenate(values)
        return np.asarray(numbers, dtype=np.int64), joined_values

    def _stack(self) -> None:
        torch = sys.modules["torch"]
        self._chunks.append((self._numbers, torch.stack(self._tensors)))
        self._numbers, self._tensors = [], []
