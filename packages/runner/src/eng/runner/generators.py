"""Random number generators that objects own, as plain data."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, TypeAlias, TypeGuard, Union

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Sampler

from eng.utils import StateDict

__all__ = [
    "Generator",
    "GeneratorState",
    "generators_of",
    "get_python_state",
    "get_state",
    "owner_in",
    "put_python_state",
    "put_state",
]

#: A random number generator that an object may own.
Generator: TypeAlias = Union[  # noqa: UP007 - evaluated by 3.10, which cannot join these by |
    torch.Generator, random.Random, np.random.RandomState, np.random.Generator
]

#: A state as plain data: of torch a tensor, of numpy and Python with its kind beside it.
GeneratorState: TypeAlias = Union[Tensor, StateDict]  # noqa: UP007 - StateDict is a string

_KINDS = (torch.Generator, random.Random, np.random.RandomState, np.random.Generator)
#: Attributes of datasets with inner datasets and transforms.
_PARTS = ("dataset", "datasets", "pipeline", "transforms", "transform", "target_transform")


def generators_of(owners: Iterable[object]) -> list[Generator]:
    """Find the generators of objects, under any attribute, and of the samplers that they wrap.

    The global generators of numpy, Python and torch are not among them.

    Args:
        owners: The objects.

    Returns:
        Generators of torch, numpy and Python, each once, in an order that depends on the classes
        of the owners alone.
    """
    found: dict[int, Generator] = {}
    seen: set[int] = set()
    for owner in owners:
        for generator in _walk(owner, seen):
            found.setdefault(id(generator), generator)
    return list(found.values())


def owner_in(dataset: object) -> object | None:
    """Find the part of a dataset that has a random number generator of its own.

    Args:
        dataset: A dataset, which may hold others and transforms.

    Returns:
        The first part of it that has a generator, the dataset itself included; None without one.
    """
    pending, seen = [dataset], set()
    while pending:
        part = pending.pop(0)
        if isinstance(part, (list, tuple)):
            pending.extend(part)
        elif id(part) not in seen:
            seen.add(id(part))
            held = getattr(part, "__dict__", {})
            if any(_is_own(value) for value in held.values()):
                return part
            pending.extend(held[name] for name in _PARTS if held.get(name) is not None)
    return None


def _is_own(value: object) -> TypeGuard[Generator]:
    shared = (getattr(random, "_inst", None), np.random.mtrand._rand, torch.default_generator)
    # That of the system has no state.
    is_generator = isinstance(value, _KINDS) and not isinstance(value, random.SystemRandom)
    return is_generator and all(value is not each for each in shared)


def _walk(owner: object, seen: set[int]) -> Iterator[Generator]:
    if owner is None or id(owner) in seen:
        return
    seen.add(id(owner))
    # First the documented name, which may be a property.
    values = [getattr(owner, "generator", None), *getattr(owner, "__dict__", {}).values()]
    yield from (value for value in values if _is_own(value))
    for value in values:
        if isinstance(value, Sampler):
            yield from _walk(value, seen)


def get_state(generator: Generator) -> GeneratorState:
    """Return the state of a generator.

    Args:
        generator: The generator, of torch, numpy or Python.

    Returns:
        A tensor for one of torch, else a dict with its ``kind`` and ``state``, of numbers, strings,
        lists and tensors.
    """
    if isinstance(generator, torch.Generator):
        return generator.get_state()
    if isinstance(generator, random.Random):
        return {"kind": "python", "state": get_python_state(generator)}
    state = _get_numpy_state(generator)
    return {"kind": state["bit_generator"], "state": _to_plain(state)}


def put_state(generator: Generator, state: GeneratorState) -> None:
    """Set the state of a generator.

    Args:
        generator: The generator.
        state: State from :func:`get_state`. That of another kind of generator is ignored.
    """
    if isinstance(generator, torch.Generator):
        if not isinstance(state, Mapping):
            generator.set_state(state.cpu())
    elif not isinstance(state, Mapping):
        return
    elif isinstance(generator, random.Random):
        if state["kind"] == "python":
            put_python_state(generator, state["state"])
    else:
        present = _get_numpy_state(generator)
        if state["kind"] == present["bit_generator"]:
            saved = state["state"]
            _put_numpy_state(generator, {k: _to_numpy(saved[k], v) for k, v in present.items()})


def get_python_state(generator: random.Random | ModuleType) -> list[object]:
    """Return the state of a generator of Python as plain data.

    Args:
        generator: The generator, or the module :mod:`random` for that of the process.

    Returns:
        Numbers and lists.
    """
    version, internal, gauss = generator.getstate()
    return [version, list(internal), gauss]


def put_python_state(generator: random.Random | ModuleType, state: Sequence[Any]) -> None:
    """Set the state of a generator of Python.

    Args:
        generator: The generator, or the module :mod:`random`.
        state: State from :func:`get_python_state`.
    """
    version, internal, gauss = state
    generator.setstate((version, tuple(internal), gauss))


# The older generator of numpy has a cached number beside its bits.


def _get_numpy_state(generator: np.random.RandomState | np.random.Generator) -> StateDict:
    if isinstance(generator, np.random.RandomState):
        return generator.get_state(legacy=False)
    return dict(generator.bit_generator.state)


def _put_numpy_state(
    generator: np.random.RandomState | np.random.Generator, state: StateDict
) -> None:
    if isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        generator.bit_generator.state = state


def _to_plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _to_plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):  # of 32 or 64 bits without a sign, as torch has none
        return [int(each) for each in value]
    return value.item() if isinstance(value, np.generic) else value


def _to_numpy(value: object, like: object) -> object:
    if isinstance(like, dict) and isinstance(value, Mapping):
        return {key: _to_numpy(value[key], each) for key, each in like.items()}
    return np.array(value, dtype=like.dtype) if isinstance(like, np.ndarray) else value
