"""Models are built without values, which each process makes for its part."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

import deferred_cases

from eng.dist.testing import run_in_processes
from eng.model.deferred import DeferralError, Recording

FOUR = pytest.param(4, 2, marks=pytest.mark.exhaustive)


def make_deferred(function, seed=0):
    torch.manual_seed(seed)
    recording = Recording()
    with recording.active():
        made = function()
    return made, recording


@pytest.mark.parametrize("name", deferred_cases.TENSORS)
def test_values_and_generators_are_those_of_building_at_once(name):
    function = deferred_cases.TENSORS[name]
    torch.manual_seed(0)
    wanted, drawn = function(), torch.rand(3)
    made, recording = make_deferred(function)
    assert torch.equal(torch.rand(3), drawn)
    place = recording.place_of(made)
    assert (place is None) == (
        name in ("from numpy", "selected", "multinomial") and not made.is_meta
    )
    found = made if place is None else recording.compute(place)
    assert found.dtype == wanted.dtype
    assert torch.equal(found, wanted)


def test_large_tensors_take_no_memory_and_small_ones_are_there():
    large, _ = make_deferred(lambda: torch.zeros(1 << 20, 1 << 20).add_(1))
    assert large.is_meta
    assert large.shape == (1 << 20, 1 << 20)
    small, recording = make_deferred(lambda: nn.Linear(3, 3))
    assert recording.place_of(small.weight) is None
    assert torch.isfinite(small.weight).all()


def test_values_can_be_made_again():
    made, recording = make_deferred(lambda: nn.Linear(200, 200).weight)
    place = recording.place_of(made)
    assert torch.equal(recording.compute(place), recording.compute(place))


def test_a_large_tensor_that_changes_after_its_use_is_refused():
    def copied():
        source = torch.arange(90_000.0)
        weight = torch.empty(90_000)
        weight.copy_(source)
        source.zero_()
        return weight

    made, recording = make_deferred(copied)
    with pytest.raises(DeferralError, match=r"shape \(90000,\) was changed"):
        recording.compute(recording.place_of(made))


def test_small_and_large_tensors_that_change_together_are_refused():
    def scale():
        torch._foreach_mul_([torch.ones(3), torch.ones(300, 300)], 2.0)

    with pytest.raises(DeferralError, match="some have no values"):
        make_deferred(scale)


def test_tensors_that_a_model_wants_without_values_stay_so():
    made, recording = make_deferred(lambda: torch.empty(3, device="meta"))
    assert recording.place_of(made) is None


@pytest.mark.parametrize(("processes", "tensor"), [(2, 1), FOUR])
def test_parts_of_processes_are_the_model_of_one(processes, tensor):
    # In a process of its own as well, since a QR decomposition differs with the number of threads.
    ((start, trained),) = run_in_processes(deferred_cases.build_whole, 1, timeout=120)
    ranks = run_in_processes(deferred_cases.build_in_parts, processes, tensor, timeout=120)
    for found, after in ranks:
        assert list(found) == list(start)
        for name, value in start.items():
            assert torch.equal(found[name], value), name
            assert torch.allclose(after[name], trained[name], atol=1e-5), name
