"""States of the generators of a process."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from eng.dataset import RawRandomState


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
