"""States of the generators of a process."""

from __future__ import annotations

import random
import sys
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import BatchSampler, SequentialSampler

from eng.dataset import PlacedSampler, RawRandomState, randomness


def drawn() -> tuple[float, ...]:
    return (random.random(), float(np.random.normal()), np.random.rand(), float(torch.rand(())))


@pytest.mark.parametrize("kept", [0, 1], ids=["none", "half a pair"])
@pytest.mark.parametrize("numbers", [0, 1, 2, 311, 312, 623, 624, 625, 1248])
def test_a_snapshot_puts_all_generators_back(numbers: int, kept: int) -> None:
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    for _ in range(kept):
        np.random.normal()  # numpy draws two and keeps one
    state = RawRandomState()
    expected = drawn()
    np.random.rand(numbers)
    state.restore()
    again = RawRandomState()
    assert drawn() == expected
    again.restore()
    assert drawn() == expected


DRAWS = [
    random.random,
    lambda: random.gauss(0, 1),
    lambda: random.getrandbits(624 * 32),
    lambda: random.seed(5),
    lambda: random.shuffle(list(range(700))),
    lambda: random.setstate(random.Random(7).getstate()),
    np.random.rand,
    np.random.normal,
    lambda: np.random.rand(624),
    lambda: np.random.seed(5),
    lambda: np.random.set_state(np.random.RandomState(7).get_state()),
    lambda: torch.rand(3),
    lambda: torch.rand(624),
    lambda: torch.randn(3),  # draws two, and keeps the second of the last pair
    lambda: torch.randn(1, dtype=torch.float64),
    lambda: torch.manual_seed(5),
    lambda: torch.manual_seed(5 + 2**32),  # of the same numbers
    lambda: None,
]


@given(st.lists(st.integers(0, len(DRAWS) - 1), max_size=12))
def test_snapshots_follow_every_way_to_change_a_generator(draws: list[int]) -> None:
    for number in draws:
        state = RawRandomState()
        DRAWS[number]()
        after = random.getstate(), np.random.get_state()[1:], torch.get_rng_state()
        again = RawRandomState()
        state.restore()
        again.restore()
        assert random.getstate() == after[0]
        assert all(np.all(a == b) for a, b in zip(np.random.get_state()[1:], after[1], strict=True))
        assert torch.equal(torch.get_rng_state(), after[2])
        state.restore()
        expected = random.random(), np.random.normal(), float(torch.rand(()))
        state.restore()
        assert (random.random(), np.random.normal(), float(torch.rand(()))) == expected


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="elsewhere states are read anew")
def test_a_snapshot_reads_no_state_that_has_not_changed() -> None:
    np.random.seed(3)  # no half of a pair is kept
    RawRandomState()
    with ExitStack() as stack:
        for owner, name in [(random, "getstate"), (np.random, "get_state")]:
            stack.enter_context(patch.object(owner, name, side_effect=AssertionError))
        state, again = RawRandomState(), RawRandomState()
    expected = drawn()
    for each in (state, again):
        each.restore()
        assert drawn() == expected


def test_a_snapshot_has_the_present_state_of_a_gpu() -> None:
    present, states = [1], []
    with (
        patch.object(torch.cuda, "is_initialized", lambda: True),
        patch.object(torch.cuda, "get_rng_state", lambda: torch.tensor(present)),
        patch.object(torch.cuda, "set_rng_state", states.append),
    ):
        first = RawRandomState()
        present[0] = 2  # while nothing on the host has drawn
        second = RawRandomState()
        for each in (first, second, first):
            each.restore()
    assert [int(state) for state in states] == [1, 2, 1]


def test_replaced_functions_of_python_are_called() -> None:
    class Replaced:
        def state(self) -> object:
            return own()

    own, restored = random.getstate, []
    with ExitStack() as stack:
        stack.enter_context(patch.object(random, "getstate", Replaced().state))
        # What is in memory is looked for once, at import.
        stack.enter_context(patch.object(randomness, "_places", randomness._Places()))
        state = RawRandomState()
        expected = drawn()
        again = RawRandomState()
        for each in (state, again, state):
            each.restore()
            restored.append(drawn())
    assert restored[0] == restored[2] == expected != restored[1]


def test_a_generator_that_was_replaced_is_followed() -> None:
    own = np.random.get_bit_generator()
    state = RawRandomState()
    try:
        np.random.set_bit_generator(np.random.PCG64(3))
        other = RawRandomState()
        expected = np.random.rand(3).tolist()
        other.restore()
        assert np.random.rand(3).tolist() == expected
    finally:
        np.random.set_bit_generator(own)
    again = RawRandomState()
    expected = np.random.rand(3).tolist()
    for each in (state, again):
        each.restore()
        assert np.random.rand(3).tolist() == expected


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("start", [0, 2, 6])
def test_batches_of_torch_give_each_sample_its_place(drop_last: bool, start: int) -> None:
    batches = BatchSampler(SequentialSampler(range(7)), 2, drop_last)
    placed = PlacedSampler(batches)
    placed.seed, placed.epoch, placed.start = 3, 1, start
    found = list(placed)
    assert found == [batch for batch in batches if batch[0] >= start]
    assert [s.origin for batch in found for s in batch] == [(3, 1, s) for b in found for s in b]


def test_indices_that_are_not_numbers_stay_as_they_are() -> None:
    placed = PlacedSampler(BatchSampler([("a", 1), ("b", 2), np.int64(4)], 2, False))
    first, second = placed
    assert first == [("a", 1), ("b", 2)]
    assert second == [4]
    assert second[0].origin == (0, 0, 2)
