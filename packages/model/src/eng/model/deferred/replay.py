"""Make the values of tensors by the operations that were recorded of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from .operations import Memory, Operation, Place, RealTensor, Scratch, generator_of

__all__ = ["Replay"]


class Replay:
    """Runs recorded operations.

    Args:
        memories: The memories of the recording by their numbers.
        scratch: Memory for values in place of that of their own. Defaults to None.
        in_scratch: Number of the memory whose values go there. Defaults to None.
    """

    def __init__(
        self,
        memories: Mapping[int, Memory],
        scratch: Scratch | None = None,
        in_scratch: int | None = None,
    ) -> None:
        self._memories = memories
        self._scratch, self._in_scratch = scratch, in_scratch
        self._storages: dict[int, torch.UntypedStorage] = {}

    def run(self, operations: Iterable[Operation]) -> None:
        """Run operations.

        Args:
            operations: The operations, in the order in which they were recorded.
        """
        for operation in operations:
            args, kwargs = tree_map(self._fill, (operation.args, operation.kwargs))
            with _seeded(operation):
                results = operation.function(*args, **kwargs)
            for place, result in zip(operation.outputs, tree_leaves(results), strict=True):
                if place is not None and place.memory not in self._storages:
                    self._keep(place, result)

    def value_of(self, place: Place) -> Tensor:
        """Return the tensor of a place."""
        storage = self._storages.get(place.memory)
        if storage is None:  # only written as a whole, or not at all
            _, nbytes, device = self._memories[place.memory]
            kept = self._scratch if place.memory == self._in_scratch else None
            scratch = Scratch() if kept is None else kept
            storage = scratch.storage(nbytes, device)
            self._storages[place.memory] = storage
        return place.of(storage)

    def _fill(self, leaf: object) -> object:
        if isinstance(leaf, Place):
            return self.value_of(leaf)
        return leaf.get() if isinstance(leaf, RealTensor) else leaf

    def _keep(self, place: Place, result: Tensor) -> None:
        if tuple(result.stride()) == place.stride and result.storage_offset() == place.offset:
            self._storages[place.memory] = result.untyped_storage()
        else:  # laid out in another way than without values
            self.value_of(place).copy_(result)


@contextmanager
def _seeded(operation: Operation) -> Iterator[None]:
    """Let an operation draw the random numbers that it drew when it was recorded."""
    if operation.random_state is None:
        yield
        return
    device, state = operation.random_state
    generator: Any = operation.kwargs.get("generator") or generator_of(device)
    present = generator.get_state()
    generator.set_state(state)
    try:
        yield
    finally:
        generator.set_state(present)
