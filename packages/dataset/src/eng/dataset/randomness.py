"""Seed samples by their position in the order, and restore states of random number generators."""

from __future__ import annotations

import ctypes
import operator
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from eng.utils import StateDict, override

__all__ = ["Origin", "RawRandomState", "SampleIndex", "random_numbers_of"]

#: Seed of an order, number of the epoch or pass over the dataset, and position in its order,
#: counted over all processes.
Origin: TypeAlias = tuple[int, int, int]

_STAND_IN = np.random.MT19937(0)


class SampleIndex(int):
    """An int that also has the position of its sample in the order.

    Samplers yield these, since the index is all that reaches the worker that prepares a sample.
    """

    origin: Origin

    def __new__(cls, index: int, seed: int, epoch: int, place: int) -> SampleIndex:
        """Create an int that knows its origin.

        Args:
            index: The index.
            seed: Seed of the order.
            epoch: Number of the epoch, or pass over the dataset.
            place: Position in the order of that epoch, counted over all processes.
        """
        self = super().__new__(cls, index)
        self.origin = (seed, epoch, place)
        return self

    @override
    def __reduce__(self) -> tuple[type[SampleIndex], tuple[int, ...]]:
        return SampleIndex, (int(self), *self.origin)


@contextmanager
def random_numbers_of(index: object) -> Iterator[None]:
    """Seed random numbers by the position of a sample in the order, while it is prepared.

    The generators of Python, numpy and torch (CPU) are seeded by the seed, the epoch and the
    position of the sample. Outside of workers they are restored afterwards, so that the run draws
    the same numbers with and without workers.

    Args:
        index: The index. Only a :class:`SampleIndex` has an effect.

    Yields:
        Nothing.
    """
    if not isinstance(index, SampleIndex):
        yield
        return
    if get_worker_info() is not None:
        _seed(index.origin)
        yield
        return
    python, cpu = random.getstate(), torch.get_rng_state()
    # Replacing numpy's generator is much faster than saving its state.
    numpy = np.random.get_bit_generator()  # type: ignore[attr-defined]
    np.random.set_bit_generator(_STAND_IN)  # type: ignore[attr-defined]
    try:
        _seed(index.origin)
        yield
    finally:
        random.setstate(python)
        np.random.set_bit_generator(numpy)  # type: ignore[attr-defined]
        torch.set_rng_state(cpu)


def _seed(origin: Origin) -> None:
    random.seed("{}/{}/{}".format(*origin))
    np.random.seed(random.getrandbits(32))
    # Not torch.manual_seed, which would also seed the accelerators, whose numbers the run draws.
    torch.default_generator.manual_seed(random.getrandbits(63))


class RawRandomState:
    """A snapshot of the random number generators, taken in a microsecond; not for saving.

    Reading the states of the global generators of Python, numpy and torch (CPU) is slow: each has a
    block of 624 numbers. But a draw moves the position in the block, and a new block has other
    numbers, so that the position and the numbers beside it, which are looked at in memory, identify
    a state. Where no generator has drawn, the latest snapshot is returned. A generator that is not
    found in memory is read each time.
    """

    _python: tuple[object, ...]
    _numpy: StateDict
    _torch: Tensor
    _cuda: Tensor | None

    def __new__(cls) -> RawRandomState:
        """Take a snapshot, or return the latest one where it still holds."""
        places = _places
        generator = np.random.get_bit_generator()  # type: ignore[attr-defined]
        if generator is not places.numpy:
            places.follow_numpy(generator)
        if places.views != places.copies or places.python.gauss_next is not places.python_normal:
            places.read_changed()
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            return places.latest._with_cuda()
        return places.latest

    def _with_cuda(self) -> RawRandomState:
        """Return this snapshot with the state of the present GPU."""
        state = object.__new__(RawRandomState)
        state._python, state._numpy, state._torch = self._python, self._numpy, self._torch
        state._cuda = torch.cuda.get_rng_state()
        return state

    def restore(self) -> None:
        """Restore the generators."""
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        torch.set_rng_state(self._torch)
        if self._cuda is not None:
            torch.cuda.set_rng_state(self._cuda)


class _Places:
    """Where the states of the global generators are in memory, and what they were last."""

    latest: RawRandomState

    def __init__(self) -> None:
        generator = getattr(random.getstate, "__self__", None)
        python = _find_python(generator)
        # Another one, which never draws, where it was not found.
        self.python: Any = generator if python else random.Random(0)
        self.python_normal: float | None = None
        self.numpy: object = None
        #: In memory: Python's, numpy's and torch's numbers, and the normal ones of torch.
        self.views = [python, _NOWHERE, *_find_torch()]
        #: What they were; None where a state is read each time.
        self.copies: list[memoryview | None] = [None] * 4

    def follow_numpy(self, generator: object) -> None:
        """Look at another generator of numpy, which has taken the place of the global one."""
        self.numpy, self.views[1], self.copies[1] = generator, _find_numpy(generator), None

    def read_changed(self) -> None:
        """Take a snapshot, with the states that are still the same from the latest one."""
        state = object.__new__(RawRandomState)
        copies = [memoryview(view.tobytes()).cast("I") or None for view in self.views]
        normal = self.python.gauss_next
        python, numpy, cpu, normals = map(operator.eq, self.views, self.copies)
        is_python_same = python and normal is self.python_normal
        state._python = self.latest._python if is_python_same else random.getstate()
        state._numpy = self.latest._numpy if numpy else np.random.get_state(legacy=False)
        is_torch_same = cpu and normals
        state._torch = self.latest._torch if is_torch_same else torch.default_generator.get_state()
        state._cuda = None
        if state._numpy.get("has_gauss"):  # drawn next, without a change of the block
            copies[1] = None
        self.latest, self.copies, self.python_normal = state, copies, normal


_NOWHERE = memoryview(b"").cast("I")


def _map(address: int, size: int) -> memoryview:
    memory: Any = (ctypes.c_uint32 * (size // 4)).from_address(address)
    numbers: Any = np.frombuffer(memory, np.uint32)  # views of ctypes compare ten times as slowly
    return memoryview(numbers)


def _find_python(generator: Any) -> memoryview:
    """Map the position and two numbers of Python's generator: behind the header of the object."""
    if type(generator) is not random.Random or sys.implementation.name != "cpython":
        return _NOWHERE
    address = id(generator) + object.__basicsize__
    *numbers, position = generator.getstate()[1]
    expected = np.array([position, *numbers], dtype=np.uint32).tobytes()
    is_found = _map(address, len(expected)).tobytes() == expected
    return _map(address, 12) if is_found else _NOWHERE


def _find_numpy(generator: Any) -> memoryview:
    """Map two numbers of numpy's generator and the position: a C struct with a public address."""
    if type(generator) is not np.random.MT19937:
        return _NOWHERE
    return _map(generator.ctypes.state_address + 622 * 4, 12)


def _find_torch() -> tuple[memoryview, memoryview]:
    """Map seed, position and two numbers of torch's generator, and the normal numbers it has drawn.

    The object has, after what all generators have, its seed in 8 bytes, its position in 12, 624
    numbers in 4 each, and two optional normal numbers in 24.
    """
    generator: Any = torch.default_generator
    saved = generator.get_state().numpy().view(np.uint64)  # seed, position in two, numbers, ...
    expected = saved[3:627].astype(np.uint32).tobytes()
    address = getattr(generator, "_cdata", 0)
    # What all generators have takes 80 bytes; no more is read than the object has.
    start = _map(address, 128 + len(expected)).tobytes().find(expected) if address else -1
    if start < 20:
        return _NOWHERE, _NOWHERE
    address += start
    return _map(address - 20, 28), _map(address + len(expected), 24)


_places = _Places()
