"""Seed samples by their position in the order, and restore states of random number generators."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils.data import get_worker_info

from eng.utils import override

__all__ = ["RawRandomState", "SampleIndex", "random_numbers_of"]

_STAND_IN = np.random.MT19937(0)


class SampleIndex(int):
    """An int that also has the position of its sample in the order.

    Samplers yield these, since the index is all that reaches the worker that prepares a sample.

    Args:
        index: The index.
        seed: Seed of the order.
        epoch: Number of the epoch, or pass over the dataset.
        place: Position in the order of that epoch, counted over all processes.
    """

    origin: tuple[int, int, int]

    def __new__(cls, index: int, seed: int, epoch: int, place: int) -> SampleIndex:
        """Create an int with attributes."""
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


def _seed(origin: tuple[int, int, int]) -> None:
    random.seed("{}/{}/{}".format(*origin))
    np.random.seed(random.getrandbits(32))
    # Not torch.manual_seed, which would also seed the accelerators, whose numbers the run draws.
    torch.default_generator.manual_seed(random.getrandbits(63))


class RawRandomState:
    """A snapshot of the random number generators, taken in microseconds; not for saving."""

    def __init__(self) -> None:
        self._python = random.getstate()
        self._numpy = _numpy_state.take()
        self._torch = torch.get_rng_state()
        self._cuda: torch.Tensor | None = None
        if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            self._cuda = torch.cuda.get_rng_state()

    def restore(self) -> None:
        """Restore the generators."""
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        torch.set_rng_state(self._torch)
        if self._cuda is not None:
            torch.cuda.set_rng_state(self._cuda)


class _NumpyState:
    """The state of numpy's global generator, cached until it changes since reading it is slow.

    A draw moves the position in the generator's block of numbers, and a new block has other
    numbers. Only the second normal number of a pair is drawn without either: while one is pending,
    the state is read each time.
    """

    def __init__(self) -> None:
        self._generator: object = None
        self._block: ctypes.Array[ctypes.c_uint32]
        self._known: dict[str, Any] = {}
        self._mark: tuple[int, ...] = ()

    def take(self) -> dict[str, Any]:
        generator = np.random.get_bit_generator()  # type: ignore[attr-defined]
        if type(generator) is not np.random.MT19937:
            return np.random.get_state(legacy=False)
        if generator is not self._generator:
            self._generator, self._mark = generator, ()
            # The C struct of numpy: 624 numbers and the position in them.
            self._block = (ctypes.c_uint32 * 625).from_address(generator.ctypes.state_address)
        block = self._block
        mark = (block[624], block[0], block[1], block[623])
        if mark != self._mark or self._known["has_gauss"]:
            self._known, self._mark = np.random.get_state(legacy=False), mark
        return self._known


_numpy_state = _NumpyState()
