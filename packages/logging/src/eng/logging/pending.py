"""Pending scalars: tensors that stay on their device until they are read."""

import sys
from collections.abc import Sequence
from operator import attrgetter
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from .types import Device, Scalar, Tensor

__all__ = ["PendingTensors", "copy_scalar", "is_tensor", "read_at_once", "read_scalar"]

_KIND = attrgetter("device", "dtype")


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


def copy_scalar(value: Scalar) -> float | Tensor:
    """Convert a number to a float, and copy a tensor of one element on its accelerator.

    Args:
        value: The number, or an array or tensor of one element.

    Returns:
        The float, also of a tensor on the CPU, which has it; or the tensor without a dimension and
        without waiting for it. It is a copy, since the owner may modify the tensor.

    Raises:
        TypeError: The value is neither.
    """
    number = read_at_once(value)
    if type(number) is float:
        return number
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor):
        return read_scalar(value)
    tensor: Tensor = value
    if tensor.ndim or tensor.is_complex():
        if tensor.numel() != 1 or tensor.is_complex():
            raise TypeError(
                "a scalar must be a tensor of one real element, but got shape "
                f"{tuple(tensor.shape)} and {tensor.dtype}"
            )
        tensor = tensor.reshape(())
    if tensor.is_cpu:
        return float(tensor.item())
    return (tensor.detach() if tensor.requires_grad else tensor).clone()


def read_at_once(value: Scalar) -> Scalar:
    """Read a tensor that is a float without a dimension, where the CPU has it.

    Args:
        value: A number, or an array or tensor.

    Returns:
        The float; any other value as it is.
    """
    if getattr(value, "is_cpu", False) and not value.ndim:  # type: ignore[union-attr]
        number = value.item()  # type: ignore[union-attr]
        if type(number) is float:
            return number
    return value


class PendingTensors:
    """Numbered tensors of one element each that were not read yet."""

    def __init__(self) -> None:
        self._chunks: list[tuple[Sequence[int], Tensor]] = []

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def add(self, numbers: Sequence[int], tensors: Sequence[Tensor]) -> None:
        """Keep tensors on their device, where they are stacked: at a few bytes per value.

        Args:
            numbers: Their numbers, ascending.
            tensors: The tensors, without dimensions.
        """
        kinds = set(map(_KIND, tensors))
        if len(kinds) == 1:
            self._chunks.append((numbers, sys.modules["torch"].stack(tensors)))
            return
        pairs = list(zip(numbers, tensors, strict=True))
        for kind in kinds:
            same = [pair for pair in pairs if _KIND(pair[1]) == kind]
            self.add([number for number, _ in same], [tensor for _, tensor in same])

    def forget_before(self, number: int) -> None:
        """Drop chunks whose entries are all older than a number."""
        self._chunks = [chunk for chunk in self._chunks if chunk[0][-1] >= number]

    def take(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Move all tensors to the host, in one transfer per device, and clear them."""
        torch = sys.modules["torch"]
        by_device: dict[Device, list[tuple[Sequence[int], Tensor]]] = {}
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
