"""Random numbers of a sample that depend on its place in the order alone, and their states."""

from __future__ import annotations

import ctypes
import random
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any

import numpy as np
import torch
from torch.utils.data import get_worker_info

from eng.utils import override

__all__ = ["RawRandomState", "SampleIndex", "place_samples", "random_numbers_of"]

_STAND_IN = np.random.MT19937(0)


class SampleIndex(int):
    """The index of a sample that knows its place in the order; anywhere else, an ordinary number.

    A sampler gives these, since the index is all that reaches the worker that prepares a sample.

    Args:
        index: The index.
        seed: Seed of the order.
        epoch: Which epoch, or turn through the dataset.
        place: Place in the order of that epoch, counted over all processes.
    """

    origin: tuple[int, int, int]

    def __new__(cls, index: int, seed: int, epoch: int, place: int) -> SampleIndex:
        """An int with attributes."""
        self = super().__new__(cls, index)
        self.origin = (seed, epoch, place)
        return self

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return SampleIndex, (int(self), *self.origin)


def place_samples(
    indices: Iterable[int], seed: int, epoch: int, places: Iterable[int]
) -> list[SampleIndex]:
    """Give many indices their places at once, in less time than by the class itself.

    Args:
        indices: The indices, each of them an ``int``.
        seed: Seed of the order.
        epoch: Which epoch, or turn through the dataset.
        places: The place of each in the order of that epoch. May be longer.

    Returns:
        The indices that know their places.
    """
    samples = list(map(int.__new__, repeat(SampleIndex), indices))
    origins = zip(repeat(seed), repeat(epoch), places)
    deque(map(setattr, samples, repeat("origin"), origins), maxlen=0)
    return samples


@contextmanager
def random_numbers_of(index: Any) -> Iterator[None]:
    """Around the preparation of a sample: draw what its place in the order says.

    Python's, numpy's and torch's generators (torch's of the CPU) are seeded from the seed, the
    epoch and the place of the sample. In a process that is no worker of a data loader they are put
    back afterwards, so that the run draws the same whether it has workers or not.

    Args:
        index: The index. Nothing happens unless it is a :class:`SampleIndex`.

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
    # Another generator takes the place of numpy's: much faster than to save the state of that.
    numpy = np.random.get_bit_generator()  # type: ignore[attr-defined]
    np.random.set_bit_generator(_STAND_IN)  # type: ignore[attr-defined]
    try:
        _seed(index.origin)
        yield
    finally:
        random.setstate(python)
        np.random.set_bit_generator(numpy)  # type: ignore[attr-defined]
        torch.set_rng_state(cpu)


def _seed(origin: tuple[int, int, int]) -> None:
    random.seed("{}/{}/{}".format(*origin))
    np.random.seed(random.getrandbits(32))
    # Not torch.manual_seed, which seeds the accelerators too: these belong to the run.
    torch.default_generator.manual_seed(random.getrandbits(63))


class RawRandomState:
    """The states of the generators now, as they are: taken in microseconds, not to be saved."""

    def __init__(self) -> None:
        self._python = _python_state.take()
        self._numpy = _numpy_state.take()
        self._torch = torch.default_generator.get_state()
        self._cuda = None
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            self._cuda = torch.cuda.get_rng_state()

    def restore(self) -> None:
        """Put the generators back."""
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        torch.set_rng_state(self._torch)
        if self._cuda is not None:
            torch.cuda.set_rng_state(self._cuda)


class _PythonState:
    """The state of Python's global generator, got when it has changed as by :class:`_NumpyState`.

    Getting it makes a tuple of 625 numbers. CPython keeps them behind the head of the object: the
    place in the block, then the block. Where they are not found there, the state is got each time.
    """

    def __init__(self) -> None:
        # None where somebody has replaced the functions of the module.
        self._generator: Any = getattr(random.getstate, "__self__", None)
        self._block = _find_block(self._generator)
        self._known: Any = None
        self._mark: tuple[Any, ...] = ()

    def take(self) -> Any:
        if self._block is None:
            return random.getstate()
        mark = self._block[:3], self._generator.gauss_next
        if mark != self._mark:
            self._known, self._mark = random.getstate(), mark
        return self._known


def _find_block(generator: Any) -> Any:
    """The numbers of a generator of Python in memory: its place in the block, and the block."""
    if type(generator) is not random.Random or sys.implementation.name != "cpython":
        return None
    block = (ctypes.c_uint32 * 625).from_address(id(generator) + object.__basicsize__)
    numbers = generator.getstate()[1]
    return block if (*block[1:], block[0]) == numbers else None


class _NumpyState:
    """The state of numpy's global generator, which takes long to get, got when it has changed.

    A draw moves the place in the generator's block of numbers, and a new block has other numbers,
    so that the place and two of the numbers tell.
    Only a normal number kept from a pair is drawn without either: while there is one, the state is
    got each time.
    """

    def __init__(self) -> None:
        self._generator: Any = None
        self._block: Any = None
        self._known: Any = None
        self._mark: list[int] = []
        self._has_normal = False

    def take(self) -> Any:
        generator = np.random.get_bit_generator()  # type: ignore[attr-defined]
        if generator is not self._generator:
            if type(generator) is not np.random.MT19937:
                return np.random.get_state(legacy=False)
            self._generator, self._mark = generator, []
            # 624 numbers and the place in them, by which numpy's C code knows the generator.
            self._block = (ctypes.c_uint32 * 625).from_address(generator.ctypes.state_address)
        mark = self._block[622:]
        if mark != self._mark or self._has_normal:
            self._known, self._mark = np.random.get_state(legacy=False), mark
            self._has_normal = bool(self._known["has_gauss"])
        return self._known


_numpy_state = _NumpyState()
_python_state = _PythonState()
