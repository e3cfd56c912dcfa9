"""Random numbers and generators that the order of the data came from, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from eng.dataset import RawRandomState, samplers_of
from eng.utils import StateDict

from .generators import Generator, GeneratorState, generators_of, get_state, put_state
from .random_state import get_random_state, set_random_state
from .types import Loader

__all__ = ["put_generators", "replay", "take_generators", "take_origin"]


def take_generators(dataloader: Loader) -> list[GeneratorState]:
    """States of the generators that a data loader and its samplers draw from.

    Args:
        dataloader: The data loader.

    Returns:
        The states, in an order that depends on the classes alone.
    """
    return [get_state(generator) for generator in _find_generators(dataloader)]


def put_generators(dataloader: Loader, states: list[GeneratorState]) -> None:
    """Put the generators of a data loader where those of another were.

    Args:
        dataloader: The data loader.
        states: States from :func:`take_generators`. They are ignored if their number differs.
    """
    generators = _find_generators(dataloader)
    if len(generators) == len(states):
        for generator, state in zip(generators, states, strict=True):
            put_state(generator, state)


def take_origin(dataloader: Loader) -> StateDict:
    """Take the states of all generators that an iteration over a data loader may draw from.

    Args:
        dataloader: The data loader.

    Returns:
        ``random``, the states of the process' generators on the CPU, and ``generators``.
    """
    return {
        "random": get_random_state(devices=False),
        "generators": take_generators(dataloader),
    }


@contextmanager
def replay(dataloader: Loader, origin: StateDict) -> Iterator[None]:
    """Repeat random draws from an origin on, and restore the generators of the process afterwards.

    Args:
        dataloader: The data loader. Its own generators keep the state that the iteration leaves.
        origin: States from :func:`take_origin`.

    Yields:
        Nothing.
    """
    present = RawRandomState()
    set_random_state(origin["random"])
    put_generators(dataloader, origin["generators"])
    try:
        yield
    finally:
        present.restore()


def _find_generators(dataloader: Loader) -> list[Generator]:
    """Generators of a data loader, its batch sampler and its samplers, each once."""
    owners = [dataloader, getattr(dataloader, "batch_sampler", None), *samplers_of(dataloader)]
    return generators_of(owners)
