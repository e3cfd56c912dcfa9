"""The tensors of a model, found again at every step without going through its modules by name."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from eng.dl_utils import plain_name, unwrap

__all__ = ["ModelTensors", "picker", "tensors_of"]

_known: WeakKeyDictionary[nn.Module, ModelTensors] = WeakKeyDictionary()
_serial = itertools.count()


class ModelTensors:
    """Where the parameters and buffers of a model are.

    Going through the modules of a model by name takes longer than averaging small tensors. The
    places are kept instead: the dicts in which modules have their tensors. A tensor that is put
    into the place of another, as modules do with buffers, is found; a module that is replaced, or
    a tensor that is added or dropped, is noticed by :meth:`now`.

    Args:
        model: The model, without wrappers.

    Attributes:
        serial: A number that no other object of this class has.
        first: Position of the first tensor, None if there is none.
        places: Names of the distinct tensors, without those of wrapped parts, to their positions
            in :meth:`now` and whether they are parameters.
    """

    def __init__(self, model: nn.Module) -> None:
        self.serial = next(_serial)
        named = list(model.named_modules())
        self._parents = [module._modules for _, module in named if module._modules]
        owners: list[tuple[str, dict[str, Any], bool]] = []
        for name, module in named:
            prefix = f"{name}." if name else ""
            owners.append((prefix, module._parameters, True))
            owners.append((prefix, module._buffers, False))
        self._filled = [tensors for _, tensors, _ in owners if tensors]
        self._modules = self._read_modules()
        self._types = list(map(type, self._read_tensors()))  # None where a place is empty
        self.places: dict[str, tuple[int, bool]] = {}
        seen: set[int] = set()
        filled = [(prefix, tensors, kind) for prefix, tensors, kind in owners if tensors]
        entries = [(p + key, t, kind) for p, tensors, kind in filled for key, t in tensors.items()]
        for position, (name, tensor, is_parameter) in enumerate(entries):
            if tensor is not None and id(tensor) not in seen:
                seen.add(id(tensor))
                self.places[plain_name(model, name)] = position, is_parameter
        self.first = next((position for position, _ in self.places.values()), None)

    def now(self) -> list[Any] | None:
        """The tensors that the model has now, with None in places that are empty.

        Returns:
            The tensors. None if the model has not the same modules any more, or tensors in other
            places.
        """
        tensors = self._read_tensors()
        unchanged = self._modules == self._read_modules() and self._types == list(
            map(type, tensors)
        )
        return tensors if unchanged else None

    def _read_tensors(self) -> list[Any]:
        return list(itertools.chain.from_iterable(map(dict.values, self._filled)))

    def _read_modules(self) -> list[Any]:
        return list(itertools.chain.from_iterable(map(dict.values, self._parents)))


def tensors_of(model: nn.Module) -> tuple[ModelTensors, list[Any]]:
    """The tensors of a model, wrappers looked through.

    Args:
        model: The model, possibly wrapped or compiled.

    Returns:
        Where its tensors are, and what is there now.
    """
    bare = unwrap(model)
    known = _known.get(bare)
    tensors = known.now() if known is not None else None
    if known is None or tensors is None:
        known = _known[bare] = ModelTensors(bare)
        tensors = known._read_tensors()
    return known, tensors


def picker(positions: Sequence[int]) -> Callable[[list[Any]], Sequence[Tensor]]:
    """What takes the items at some positions out of a list.

    Args:
        positions: The positions.

    Returns:
        A function from the list to the items.
    """
    if len(positions) > 1:
        return itemgetter(*positions)
    return lambda items: [items[position] for position in positions]
