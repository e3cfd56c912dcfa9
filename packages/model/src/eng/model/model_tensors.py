"""Collect the tensors of a model at every step, without traversing its modules by name."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from eng.dl_utils import plain_name, unwrap
from eng.utils import StateDict

__all__ = ["ModelTensors", "picker", "tensors_of"]

#: Tensors of a model in a fixed order, or None where a parameter or buffer is None.
Slots: TypeAlias = "list[Any]"

_known: WeakKeyDictionary[nn.Module, ModelTensors] = WeakKeyDictionary()
_serial = itertools.count()


class ModelTensors:
    """Index of the parameters and buffers of a model.

    Traversing the modules of a model by name takes longer than averaging small tensors. The index
    keeps the dicts of the modules' tensors instead. A replaced tensor, such as a buffer, is found;
    a replaced module, or an added or removed tensor, is detected by :meth:`now`.

    Args:
        model: The model, without wrappers.

    Attributes:
        serial: A unique number of this object.
        first: Position of the first tensor, or None.
        places: Positions in :meth:`now` of the distinct tensors, and whether they are parameters,
            by their names without those of wrappers.
    """

    def __init__(self, model: nn.Module) -> None:
        self.serial = next(_serial)
        named = list(model.named_modules())
        self._parents = [module._modules for _, module in named if module._modules]
        owners: list[tuple[str, StateDict, bool]] = []
        for name, module in named:
            prefix = f"{name}." if name else ""
            owners.append((prefix, module._parameters, True))
            owners.append((prefix, module._buffers, False))
        self._filled = [tensors for _, tensors, _ in owners if tensors]
        self._modules = self._read_modules()
        self._types = list(map(type, self._read_tensors()))  # NoneType for None
        self.places: dict[str, tuple[int, bool]] = {}
        seen: set[int] = set()
        filled = [(prefix, tensors, kind) for prefix, tensors, kind in owners if tensors]
        entries = [(p + key, t, kind) for p, tensors, kind in filled for key, t in tensors.items()]
        for position, (name, tensor, is_parameter) in enumerate(entries):
            if tensor is not None and id(tensor) not in seen:
                seen.add(id(tensor))
                self.places[plain_name(model, name)] = position, is_parameter
        self.first = next((position for position, _ in self.places.values()), None)

    def now(self) -> Slots | None:
        """Return the current tensors of the model.

        Returns:
            The tensors. None if modules were replaced, or tensors added or removed.
        """
        tensors = self._read_tensors()
        unchanged = self._modules == self._read_modules() and self._types == list(
            map(type, tensors)
        )
        return tensors if unchanged else None

    def _read_tensors(self) -> Slots:
        return list(itertools.chain.from_iterable(map(dict.values, self._filled)))

    def _read_modules(self) -> list[nn.Module | None]:
        return list(itertools.chain.from_iterable(map(dict.values, self._parents)))


def tensors_of(model: nn.Module) -> tuple[ModelTensors, Slots]:
    """Return the tensors of a model without its wrappers.

    Args:
        model: The model, possibly wrapped or compiled.

    Returns:
        The index of its tensors, and the current tensors.
    """
    bare = unwrap(model)
    known = _known.get(bare)
    tensors = known.now() if known is not None else None
    if known is None or tensors is None:
        known = _known[bare] = ModelTensors(bare)
        tensors = known._read_tensors()
    return known, tensors


def picker(positions: Sequence[int]) -> Callable[[Slots], Sequence[Tensor]]:
    """Make a function that selects the items of a list at some positions.

    Args:
        positions: The positions.

    Returns:
        The function from the list to the items.
    """
    if len(positions) > 1:
        return itemgetter(*positions)
    return lambda items: [items[position] for position in positions]
