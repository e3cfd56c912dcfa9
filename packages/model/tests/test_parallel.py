"""Wrappers in several processes, against one process with the whole batch."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import model_workers

from eng.dist.testing import run_in_processes

WRAPPERS = list(model_workers.WRAPPERS)
SHARDED = [name for name in WRAPPERS if name.startswith("fsdp")]
CASES = [(accumulate, clip) for accumulate in (1, 3) for clip in (False, True)]


FOUR = pytest.param(4, marks=pytest.mark.exhaustive)


@pytest.fixture(scope="module", params=[2, FOUR], ids=lambda count: f"{count}_processes")
def ranks(request, tmp_path_factory):
    """What each process found, and where files are."""
    folder = tmp_path_factory.mktemp("full")
    found = run_in_processes(
        model_workers.everything, request.param, WRAPPERS, SHARDED, str(folder), timeout=240
    )
    return found, folder


@pytest.fixture(scope="module")
def single():
    """What one process finds with the whole batch."""
    return {case: model_workers.single(*case) for case in CASES}


@pytest.mark.parametrize("name", WRAPPERS)
@pytest.mark.parametrize(("accumulate", "clip"), CASES)
def test_training_in_several_processes_is_training_in_one(ranks, single, name, accumulate, clip):
    before, wanted, (wanted_val, wanted_test) = single[accumulate, clip]
    assert len(wanted) == 10
    assert wanted[-1] < wanted[0] / 2
    for rank in ranks[0]:
        first, losses, (val, test) = rank["parity"][name, accumulate, clip]
        assert first[0] == first[1] == pytest.approx(before[0], abs=1e-6)
        assert losses == pytest.approx(wanted, abs=1e-5)
        assert val == pytest.approx(wanted_val, abs=1e-4)
        assert test == pytest.approx(wanted_test, abs=1e-4)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_gan_trains_in_several_processes_as_in_one(ranks, accumulate):
    wanted, mean = model_workers.train_gan(False, accumulate)
    for rank in ranks[0]:
        losses, got = rank["gan"][accumulate]
        for ours, theirs in zip(losses, wanted, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-5)
        assert got == pytest.approx(mean, abs=1e-5)


def test_parts_that_are_not_trained_are_those_of_the_first_process(ranks):
    assert len({rank["frozen"] for rank in ranks[0]}) == 1


def test_the_gan_learns():
    _, before = model_workers.train_gan(False, 1, steps=1)
    _, after = model_workers.train_gan(False, 1, steps=500)
    assert abs(before - 3) > 2
    assert abs(after - 3) < 0.5


@pytest.mark.parametrize("name", SHARDED)
def test_a_full_state_is_saved_and_training_goes_on_from_it(ranks, single, name):
    found, folder = ranks
    _, wanted, _ = single[1, False]
    for rank in found:
        assert rank["full"][name] == pytest.approx(wanted[4:], abs=1e-5)
    # The same file is that of an unsharded run.
    saved = torch.load(folder / f"{name}.pth", weights_only=True)
    model = model_workers.make(seed=9)
    wrapper = model_workers.optimizer_of(model)
    model.load_state_dict(saved["state_dict"])
    wrapper.load_state_dict(saved["optimizer"])
    losses = model_workers.train(model, wrapper, range(4, model_workers.STEPS))
    assert losses == pytest.approx(wanted[4:], abs=1e-5)


@pytest.mark.parametrize("name", SHARDED)
def test_what_does_not_fit_a_sharded_model_is_reported_and_the_rest_loaded(ranks, name):
    message, weight, bias = ranks[0][0]["misfits"][name]
    assert "missing keys in source state_dict: head.weight" in message
    assert "unexpected key in source state_dict: neck.weight" in message
    assert "size mismatch for body.0.bias: (2,) in the state_dict, (7,) in the model" in message
    assert torch.equal(weight, model_workers.make(seed=3).body[0].weight)
    assert torch.equal(bias, model_workers.make(seed=0).body[0].bias)


@pytest.mark.parametrize("name", ["ddp", *SHARDED])
def test_all_processes_leave_out_an_update_of_which_one_has_infinite_gradients(ranks, name):
    for rank in ranks[0]:
        assert rank["overflow"][name][0] == [32.0, 32.0]
    assert [rank["overflow"][name][1][0] for rank in ranks[0]] == [False] * len(ranks[0])
    assert any(rank["overflow"][name][1][1] for rank in ranks[0])
