"""What a transform draws depends on the seed, the epoch and the place in the order alone."""

from __future__ import annotations

import random
import sys
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from eng.dataset import (
    ClassBalancedDataset,
    ConcatDataset,
    InfiniteSampler,
    RepeatDataset,
    SampleIndex,
    random_numbers_of,
    worker_init_fn,
)

sys.path.insert(0, str(Path(__file__).parent))

import dataset_workers
from dataset_workers import Drawing, Foreign, ForeignInBatches, drawn

LENGTH = 11


@pytest.fixture(autouse=True)
def random_state() -> Any:
    """Tests leave the generators as they were."""
    state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    yield
    random.setstate(state[0])
    np.random.set_state(state[1])
    torch.set_rng_state(state[2])


@pytest.fixture(scope="module")
def whole() -> list[Any]:
    """An epoch in the main process."""
    return drawn(Drawing(LENGTH), workers=0)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_workers_does_not_matter(whole: list[Any], workers: int) -> None:
    assert drawn(Drawing(LENGTH), workers) == whole
    assert len({numbers for _, numbers in whole}) == LENGTH


def test_spawned_workers_draw_the_same(whole: list[Any]) -> None:
    assert drawn(Drawing(LENGTH), 1, context="spawn") == whole


@pytest.mark.parametrize("workers", [0, 2])
def test_a_resume_does_not_matter(whole: list[Any], workers: int) -> None:
    before = drawn(Drawing(LENGTH), workers, stop=2)
    assert before == whole[:4]
    assert before + drawn(Drawing(LENGTH), workers, start=4) == whole


def test_the_number_of_processes_does_not_matter(whole: list[Any]) -> None:
    first = drawn(Drawing(LENGTH), 0, stop=1)
    ranks = [drawn(Drawing(LENGTH), 1, start=2, rank=rank, world=3) for rank in range(3)]
    rest = [sample for each in zip_longest(*ranks) for sample in each]
    assert first + rest == whole


def test_epochs_differ_and_repeat(whole: list[Any]) -> None:
    other = drawn(Drawing(LENGTH), 2, epoch=1)
    assert {numbers for _, numbers in other}.isdisjoint({numbers for _, numbers in whole})
    assert drawn(Drawing(LENGTH), 0, epoch=1) == other


@pytest.mark.parametrize(
    "dataset", [Foreign(LENGTH), torch.utils.data.Subset(Foreign(20), range(11))]
)
def test_datasets_of_others_are_seeded_in_workers(dataset: Any, whole: list[Any]) -> None:
    epoch = drawn(dataset, 1)
    assert drawn(dataset, 1, stop=2) + drawn(dataset, 2, start=4) == epoch
    # Places alone decide, so that the samples of any dataset draw the same.
    assert [numbers for _, numbers in epoch] == [numbers for _, numbers in whole]


def test_datasets_that_fetch_batches_are_seeded_once_a_batch() -> None:
    epoch = drawn(ForeignInBatches(LENGTH), 1)
    assert drawn(ForeignInBatches(LENGTH), 3) == epoch
    assert epoch[::2] == drawn(Foreign(LENGTH), 1)[::2]


def test_a_list_has_workers_too() -> None:
    assert sorted(drawn(list(range(5)), 2)) == list(range(5))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda dataset: ConcatDataset([dataset, dataset]),
        lambda dataset: RepeatDataset(dataset, 2),
        lambda dataset: ClassBalancedDataset(dataset, 0.0),
    ],
)
def test_wrappers_draw_by_their_own_order(wrap: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Drawing, "get_cat_ids", lambda self, idx: [], raising=False)
    dataset = wrap(Drawing(4))
    epoch = drawn(dataset, 0)
    assert len({numbers for _, numbers in epoch}) == len(dataset)  # no sample draws like its copy
    assert drawn(dataset, 2) == epoch


def test_another_sample_in_the_place_of_none_is_the_same_one() -> None:
    def picky(data: dict[str, int]) -> dict[str, int] | None:
        return data if data["number"] > 7 else None

    def dataset() -> Drawing:
        made = Drawing(LENGTH)
        made.pipeline.transforms.insert(0, picky)
        return made

    assert drawn(dataset(), 0) == drawn(dataset(), 2)


def test_the_run_draws_as_if_there_were_no_samples() -> None:
    def draws() -> tuple[float, ...]:
        return random.random(), np.random.rand(), torch.rand(1).item()

    dataset = Drawing(LENGTH)
    seeds = (random.seed, np.random.seed, torch.manual_seed)
    for seed in seeds:
        seed(1)
    wanted = draws(), draws()
    for seed in seeds:
        seed(1)
    got = draws()
    dataset[SampleIndex(2, seed=1, epoch=0, place=5)]
    with pytest.raises(IndexError):
        dataset[SampleIndex(99, seed=1, epoch=0, place=5)]
    assert (got, draws()) == wanted


def test_an_infinite_order_draws_by_turn_and_place() -> None:
    sampler = InfiniteSampler(range(3), seed=4)
    indices = [next(iter(sampler)) for _ in range(7)]
    assert [index.origin for index in indices] == [(4, i // 3, i % 3) for i in range(7)]


def test_an_ordinary_index_is_left_alone() -> None:
    random.seed(5)
    wanted = random.random()
    random.seed(5)
    with random_numbers_of(3):
        assert random.random() == wanted
    assert dataset_workers.Drawing(2)[1][0] == 1


def test_each_worker_has_random_numbers_of_its_own() -> None:
    def draws(worker: int, rank: int) -> tuple[float, ...]:
        worker_init_fn(worker, num_workers=2, rank=rank, seed=3)
        return random.random(), np.random.rand(), torch.rand(1).item()

    of_workers = [draws(worker, rank) for rank in range(2) for worker in range(2)]
    assert len(set(of_workers)) == 4
    assert draws(1, 1) == of_workers[3]
