"""Random number generators that objects own, as plain data."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch.utils.data import Sampler

__all__ = ["generators_of", "get_state", "owner_in", "put_state"]

_KINDS = (torch.Generator, random.Random, np.random.RandomState, np.random.Generator)
#: Attributes by which datasets hold others, and what they do to samples.
_PARTS = ("dataset", "datasets", "pipeline", "transforms", "transform", "target_transform")


def generators_of(owners: Iterable[Any]) -> list[Any]:
    """Generators that objects own, under whatever name, and the samplers that they wrap.

    Those of the process, which numpy and Python draw from by default, are no one's own.

    Args:
        owners: The objects.

    Returns:
        Generators of torch, numpy and Python, each once, in an order that depends on the classes
        of the owners alone.
    """
    found: dict[int, Any] = {}
    seen: set[int] = set()
    for owner in owners:
        for generator in _walk(owner, seen):
            found.setdefault(id(generator), generator)
    return list(found.values())


def owner_in(dataset: Any) -> Any | None:
    """Find what draws random numbers for samples from a generator of its own.

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


def _is_own(value: Any) -> bool:
    shared = (getattr(random, "_inst", None), np.random.mtrand._rand, torch.default_generator)
    # That of the system has no state.
    is_generator = isinstance(value, _KINDS) and not isinstance(value, random.SystemRandom)
    return is_generator and all(value is not each for each in shared)


def _walk(owner: Any, seen: set[int]) -> Iterator[Any]:
    if owner is None or id(owner) in seen:
        return
    seen.add(id(owner))
    # First the documented name, which may be a property.
    values = [getattr(owner, "generator", None), *getattr(owner, "__dict__", {}).values()]
    yield from (value for value in values if _is_own(value))
    for value in values:
        if isinstance(value, Sampler):
            yield from _walk(value, seen)


def get_state(generator: Any) -> Any:
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
        version, internal, gauss = generator.getstate()
        return {"kind": "python", "state": [version, list(internal), gauss]}
    state = _bits_of(generator).state
    return {"kind": state["bit_generator"], "state": _to_plain(state)}


def put_state(generator: Any, state: Any) -> None:
    """Put a generator where another one was.

    Args:
        generator: The generator.
        state: What :func:`get_state` returned. That of another kind of generator is left out.
    """
    kind = state["kind"] if isinstance(state, Mapping) else "torch"
    if kind != _kind_of(generator):
        return
    if isinstance(generator, torch.Generator):
        generator.set_state(state.cpu())
    elif isinstance(generator, random.Random):
        version, internal, gauss = state["state"]
        generator.setstate((version, tuple(internal), gauss))
    else:
        _bits_of(generator).state = _to_numpy(state["state"], _bits_of(generator).state)


def _kind_of(generator: Any) -> str:
    if isinstance(generator, torch.Generator):
        return "torch"
    if isinstance(generator, random.Random):
        return "python"
    return str(_bits_of(generator).state["bit_generator"])


def _bits_of(generator: Any) -> Any:
    if isinstance(generator, np.random.RandomState):
        return _LegacyBits(generator)
    return generator.bit_generator


class _LegacyBits:
    """The state of numpy's older generator, which has a cached number beside its bits."""

    def __init__(self, generator: np.random.RandomState) -> None:
        self._generator = generator

    @property
    def state(self) -> Any:
        return self._generator.get_state(legacy=False)

    @state.setter
    def state(self, state: Any) -> None:
        self._generator.set_state(state)


def _to_plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _to_plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):  # of 32 or 64 bits without a sign, as torch has none
        return [int(each) for each in value]
    return value.item() if isinstance(value, np.generic) else value


def _to_numpy(value: Any, like: Any) -> Any:
    if isinstance(like, dict):
        return {key: _to_numpy(value[key], each) for key, each in like.items()}
    return np.array(value, dtype=like.dtype) if isinstance(like, np.ndarray) else value
