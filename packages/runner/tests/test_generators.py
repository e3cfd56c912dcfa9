"""Generators that samplers own are found under any name, and put back exactly."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, Sampler

from eng.runner.data_order import put_generators, take_generators

KINDS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "torch": (torch.Generator, lambda g: torch.rand(3, generator=g).tolist()),
    "python": (lambda: random.Random(3), lambda g: [g.gauss(0, 1), g.random()]),
    "pcg": (lambda: np.random.default_rng(3), lambda g: [g.random(), int(g.integers(9))]),
    "philox": (
        lambda: np.random.Generator(np.random.Philox(3)),
        lambda g: [int(g.integers(9, dtype=np.int32)), g.normal()],
    ),
    "legacy": (lambda: np.random.RandomState(3), lambda g: [g.normal(), g.rand()]),
}


class Ordered(Sampler[int]):
    """A sampler with a generator under a name of its own."""

    def __init__(self, generator: Any) -> None:
        self._dice = generator

    def __iter__(self) -> Iterator[int]:
        return iter(range(8))

    def __len__(self) -> int:
        return 8


class Wrapping(Ordered):
    """A sampler around another one, which has the generator."""

    def __init__(self, generator: Any) -> None:
        super().__init__(None)
        self.inner = Ordered(generator)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("owner", [Ordered, Wrapping])
@pytest.mark.parametrize("in_batches", [False, True])
def test_a_generator_draws_again_what_it_drew(
    kind: str, owner: type[Ordered], in_batches: bool
) -> None:
    make, draw = KINDS[kind]
    generator, other = make(), make()
    loaders = [
        DataLoader(range(8), batch_sampler=BatchSampler(owner(each), 2, False))  # type: ignore[arg-type]
        if in_batches
        else DataLoader(range(8), sampler=owner(each))  # type: ignore[arg-type]
        for each in (generator, other)
    ]
    draw(generator)
    file = io.BytesIO()
    torch.save(take_generators(loaders[0]), file)
    file.seek(0)
    drawn = draw(generator)
    put_generators(loaders[1], torch.load(file, weights_only=True))
    assert draw(other) == drawn


def test_a_generator_of_another_kind_and_those_of_the_process_stay() -> None:
    python = random.Random(5)
    there = take_generators(DataLoader(range(8), sampler=Ordered(np.random.default_rng(3))))  # type: ignore[arg-type]
    before = python.getstate()
    put_generators(DataLoader(range(8), sampler=Ordered(python)), there)  # type: ignore[arg-type]
    assert python.getstate() == before
    shared = DataLoader(range(8), sampler=Ordered(np.random.mtrand._rand))  # type: ignore[arg-type]
    assert take_generators(shared) == []
