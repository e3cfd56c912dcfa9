"""Types of scalars."""

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Device", "Scalar", "Tensor"]


class HasItem(Protocol):
    """An array or tensor whose element is read by ``item``."""

    def item(self) -> object:
        """Return the only element as a number."""


#: A number, or an array or tensor of one element.
Scalar: TypeAlias = float | HasItem


class Device(Protocol):
    """The kind of a device, such as ``cuda``."""

    @property
    def type(self) -> str:
        """Name of the kind."""


class Tensor(Protocol):
    """Members of tensors that are used, so that torch need not be imported."""

    @property
    def device(self) -> Device:
        """Device of the tensor."""

    @property
    def is_cpu(self) -> bool:
        """Whether it is in the memory of the host."""

    @property
    def dtype(self) -> object:
        """Type of its elements."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of each dimension."""

    @property
    def ndim(self) -> int:
        """Number of dimensions."""

    @property
    def requires_grad(self) -> bool:
        """Whether the tensor is part of a graph."""

    def numel(self) -> int:
        """Return the number of elements."""

    def item(self) -> float:
        """Return the only element."""

    def is_complex(self) -> bool:
        """Return whether the elements are complex."""

    def detach(self) -> "Tensor":
        """Return a view that is not part of the graph."""

    def reshape(self, shape: tuple[()]) -> "Tensor":
        """Return a view of another shape."""

    def clone(self) -> "Tensor":
        """Return a copy."""

    def to(self, dtype: object) -> "Tensor":
        """Return the tensor converted to another type."""

    def cpu(self) -> "Tensor":
        """Return the tensor on the host."""

    def numpy(self) -> NDArray[np.float64]:
        """Return the tensor as an array."""
