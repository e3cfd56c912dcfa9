"""Generators that samplers own are found under any name, and put back exactly."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, ConcatDataset, DataLoader, Dataset, Sampler, Subset

from eng.runner.data_order import put_generators, take_generators
from eng.runner.dataloader_info import limits_of_resume

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


def test_a_generator_of_another_kind_stays_as_it_is() -> None:
    python = random.Random(5)
    there = take_generators(DataLoader(range(8), sampler=Ordered(np.random.default_rng(3))))  # type: ignore[arg-type]
    before = python.getstate()
    put_generators(DataLoader(range(8), sampler=Ordered(python)), there)  # type: ignore[arg-type]
    assert python.getstate() == before


@pytest.mark.parametrize("shared", [np.random.mtrand._rand, random.SystemRandom(), None])
def test_generators_without_a_state_of_their_own_are_left_out(shared: Any) -> None:
    assert take_generators(DataLoader(range(8), sampler=Ordered(shared))) == []  # type: ignore[arg-type]


class Jitter:
    """A transform that draws from a generator of its own."""

    def __init__(self, generator: Any) -> None:
        self.dice = generator


class Pictures(Dataset[int]):
    """A dataset with transforms."""

    def __init__(self, *transforms: Any) -> None:
        self.transform = None
        self.transforms = list(transforms)

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        return index


@pytest.mark.parametrize("kind", KINDS)
def test_a_generator_of_the_data_is_reported_as_one_that_nobody_saves(kind: str) -> None:
    pictures = Pictures(Jitter(None), Jitter(KINDS[kind][0]()))
    for dataset in (pictures, ConcatDataset([Pictures(), Subset(pictures, [1, 2])])):
        assert "random generator of Jitter," in str(limits_of_resume(DataLoader(dataset)))
    plain = Pictures(Jitter(torch.default_generator), Jitter(np.random.mtrand._rand))
    assert limits_of_resume(DataLoader(ConcatDataset([plain, plain]))) is None
