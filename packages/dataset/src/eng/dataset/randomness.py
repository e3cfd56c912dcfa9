"""Seed samples by their position in the order, and restore states of random number generators."""

from __future__ import annotations

import ctypes
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
    """A snapshot of the random number generators, taken in microseconds; not for saving."""

    def __init__(self) -> None:
        self._python, self._numpy, self._torch = _global_states.take()
        self._cuda = None
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            self._cuda = torch.cuda.get_rng_state()

    def restore(self) -> None:
        """Restore the generators."""
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        torch.set_rng_state(self._torch)
        if self._cuda is not None:
            torch.cuda.set_rng_state(self._cuda)


#: The states of the global generators of Python, numpy and torch (CPU).
_States: TypeAlias = "tuple[tuple[object, ...], StateDict, Tensor]"
_NOWHERE = memoryview(b"")


class _GlobalStates:
    """The states of the global generators of Python, numpy and torch (CPU), cached until they draw.

    Reading them is slow: each has a block of 624 numbers. A draw moves the position in the block,
    and a new block has other numbers, so that the position and the numbers beside it, which are
    looked at in memory, identify a state. A generator that is not found there is read each time.
    """

    def __init__(self) -> None:
        # Without it if the functions of the module were replaced: it is not found then.
        self._python: Any = getattr(random.getstate, "__self__", random.Random(0))
        self._numpy: object = None
        self._python_view, self._numpy_view = _find_python(), _NOWHERE
        self._torch_view, self._torch_normals = _find_torch()
        self._mark: tuple[object, ...] = (None,) * 5
        self._known: _States = (), {}, torch.empty(0)

    def take(self) -> _States:
        """Return the states, which are not to be modified."""
        generator = np.random.get_bit_generator()  # type: ignore[attr-defined]
        if generator is not self._numpy:
            self._numpy, self._numpy_view = generator, _find_numpy(generator)
            self._mark = (*self._mark[:2], None, *self._mark[3:])
        mark = (
            self._python_view.tobytes(),
            self._python.gauss_next,
            self._numpy_view.tobytes(),
            self._torch_view.tobytes(),
            self._torch_normals.tobytes(),
        )
        if mark != self._mark:
            self._read_changed(mark)
        return self._known

    def _read_changed(self, mark: tuple[object, ...]) -> None:
        python, numpy, cpu = self._known
        if mark[:2] != self._mark[:2]:
            python = random.getstate()
        if mark[2] != self._mark[2]:
            numpy = np.random.get_state(legacy=False)
        if mark[3:] != self._mark[3:]:
            cpu = torch.default_generator.get_state()
        self._known = python, numpy, cpu
        # The second normal number of a pair is drawn from numpy without a change of its block.
        hidden = [not mark[0], False, not mark[2] or bool(numpy.get("has_gauss")), not mark[3]]
        changes = zip(mark, [*hidden, False], strict=True)
        self._mark = tuple(None if is_hidden else part for part, is_hidden in changes)


def _map(address: int, size: int) -> memoryview:
    return memoryview((ctypes.c_uint8 * size).from_address(address))


def _find_python() -> memoryview:
    """Map the position and two numbers of Python's generator: behind the header of the object."""
    generator = getattr(random.getstate, "__self__", None)
    if type(generator) is not random.Random or sys.implementation.name != "cpython":
        return _NOWHERE
    address = id(generator) + object.__basicsize__
    *numbers, position = generator.getstate()[1]
    expected = np.array([position, *numbers], dtype=np.uint32).tobytes()
    return _map(address, 12) if _map(address, len(expected)) == expected else _NOWHERE


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
    start = _map(address, 256 + len(expected)).tobytes().find(expected) if address else -1
    if start < 20:
        return _NOWHERE, _NOWHERE
    address += start
    return _map(address - 20, 28), _map(address + len(expected), 24)


_global_states = _GlobalStates()
