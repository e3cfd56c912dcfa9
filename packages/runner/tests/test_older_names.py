"""What code of others calls of loops and loaders."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler

from eng.dataset import DefaultSampler
from eng.runner import calc_dynamic_intervals, set_random_seed
from eng.runner.older_names import _get_batch_size, _InfiniteDataloaderIterator


def test_intervals_are_split() -> None:
    assert calc_dynamic_intervals(3, [(5, 1), (9, 2)]) == ([0, 5, 9], [3, 1, 2])
    assert calc_dynamic_intervals(3) == ([0], [3])
    with pytest.raises(AssertionError):
        calc_dynamic_intervals(3, [5])  # type: ignore[list-item]


def test_a_seed_makes_all_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw() -> list[float]:
        return [random.random(), np.random.rand(), torch.rand(1).item()]

    assert set_random_seed(5) == 5
    first = draw()
    set_random_seed(5)
    assert draw() == first
    monkeypatch.setattr("eng.runner.environment.get_data_rank", lambda: 2)
    assert set_random_seed(3, diff_rank_seed=True) == 5
    assert draw() == first
    assert set_random_seed(5) == 5
    assert set_random_seed() != set_random_seed()


@pytest.mark.parametrize(
    ("loader", "size"),
    [
        ({"batch_size": 3}, 3),
        ({"batch_sampler": {"type": "x", "batch_size": 4}}, 4),
        ({"batch_sampler": BatchSampler(SequentialSampler([0]), 5, False)}, 5),
        (DataLoader([0, 1], batch_size=2), 2),
        (DataLoader([0], batch_sampler=BatchSampler(SequentialSampler([0]), 6, False)), 6),
    ],
)
def test_the_size_of_a_batch(loader: Any, size: int) -> None:
    assert _get_batch_size(loader) == size


def test_a_size_that_is_not_there_is_an_error() -> None:
    for loader in ({}, {"batch_sampler": {"type": "x"}}):
        with pytest.raises(ValueError, match="neither batch_size"):
            _get_batch_size(loader)


def test_an_iterator_begins_again() -> None:
    data = list(range(5))
    loader = DataLoader(data, sampler=DefaultSampler(data, shuffle=True, seed=0))  # type: ignore[arg-type, var-annotated]
    batches = _InfiniteDataloaderIterator(loader)
    turns = [[next(batches).item() for _ in data] for _ in range(3)]
    assert all(sorted(turn) == data for turn in turns)
    assert turns[0] != turns[1]
    assert iter(batches) is batches
    with pytest.raises(RuntimeError, match="no batch"):
        next(_InfiniteDataloaderIterator([]))
