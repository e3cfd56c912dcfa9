"""Seed samples by their position in the order, and restore states of random number generators."""

from __future__ import annotations

import ctypes
import random
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any, TypeAlias

import numpy as np
import torch
from torch.utils.data import get_worker_info

from eng.utils import StateDict, override

__all__ = ["Origin", "RawRandomState", "SampleIndex", "place_samples", "random_numbers_of"]

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


_EACH_CLASS, _EACH_NAME = repeat(SampleIndex), repeat("origin")


def place_samples(indices: Iterable[int], origins: Iterable[Origin]) -> list[SampleIndex]:
    """Make many :class:`SampleIndex` at once, faster than with the class.

    Args:
        indices: The indices, each an ``int``.
        origins: Seed, epoch and position of each. May be longer.

    Returns:
        The indices with their positions.
    """
    samples = list(map(int.__new__, _EACH_CLASS, indices))
    any(map(setattr, samples, _EACH_NAME, origins))  # which return None: all are set
    return samples


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
        self._python = _python_state.take()
        self._numpy = _numpy_state.take()
        self._torch = torch.default_generator.get_state()
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


class _PythonState:
    """The state of Python's global generator, cached until it changes like by :class:`_NumpyState`.

    Reading it makes a tuple of 625 numbers. CPython keeps them behind the header of the object: the
    position in the block, then the block. If they are not found there, the state is read each time.
    """

    def __init__(self) -> None:
        # None if the functions of the module were replaced.
        self._generator: Any = getattr(random.getstate, "__self__", None)
        self._block = _find_block(self._generator)
        self._known: tuple[object, ...] = ()
        self._mark: tuple[object, ...] = ()

    def take(self) -> tuple[object, ...]:
        if self._block is None:
            return random.getstate()
        mark = self._block[:3], self._generator.gauss_next
        if mark != self._mark:
            self._known, self._mark = random.getstate(), mark
        return self._known


def _find_block(generator: object) -> ctypes.Array[ctypes.c_uint32] | None:
    """Map the memory of a generator of Python: its position in the block, and the block."""
    if type(generator) is not random.Random or sys.implementation.name != "cpython":
        return None
    block = (ctypes.c_uint32 * 625).from_address(id(generator) + object.__basicsize__)
    numbers = generator.getstate()[1]
    return block if (*block[1:], block[0]) == numbers else None


class _NumpyState:
    """The state of numpy's global generator, cached until it changes since reading it is slow.

    A draw moves the position in the generator's block of numbers, and a new block has other
    numbers, so that the position and two of the numbers identify the state. Only the second normal
    number of a pair is drawn without either: while one is pending, the state is read each time.
    """

    def __init__(self) -> None:
        self._generator: object = None
        self._block: ctypes.Array[ctypes.c_uint32]
        self._known: StateDict = {}
        self._mark: list[int] = []
        self._has_normal = False

    def take(self) -> StateDict:
        generator = np.random.get_bit_generator()  # type: ignore[attr-defined]
        if generator is not self._generator:
            if type(generator) is not np.random.MT19937:
                return np.random.get_state(legacy=False)
            self._generator, self._mark = generator, []
            # The C struct of numpy: 624 numbers and the position in them.
            self._block = (ctypes.c_uint32 * 625).from_address(generator.ctypes.state_address)
        mark = self._block[622:]
        if mark != self._mark or self._has_normal:
            self._known, self._mark = np.random.get_state(legacy=False), mark
            self._has_normal = bool(self._known["has_gauss"])
        return self._known


_numpy_state = _NumpyState()
_python_state = _PythonState()
