"""Runs in two processes, with replicated and with sharded models."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


import sharded_cases

from eng.checkpoint import CheckpointLoader
from eng.dist.testing import run_in_processes

WRAPPERS = ["MMDistributedDataParallel", "MMFullyShardedDataParallel", "MMFullyShard"]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return run_in_processes(sharded_cases.whole_and_resumed, 2, str(folder), WRAPPERS), folder


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_run_goes_on_from_its_checkpoint_as_if_never_stopped(found, name):
    whole, resumed = found[0][0][name]
    assert len(whole) == 12
    assert resumed == pytest.approx(whole, abs=1e-6)
    assert found[0][1][name][0] == whole
    assert whole[-1] < whole[0] / 2


def test_all_wrappers_train_alike_although_seeds_differ_between_processes(found):
    losses = [found[0][0][name][0] for name in WRAPPERS]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    assert losses[0] == pytest.approx(losses[2], abs=1e-5)


@pytest.mark.parametrize("name", WRAPPERS)
def test_the_checkpoint_is_that_of_an_unsharded_run(found, name, tmp_path):
    is_folder = name != "MMDistributedDataParallel"
    path = found[1] / name / ("epoch_2" if is_folder else "epoch_2.pth")
    assert path.is_dir() == is_folder
    saved = CheckpointLoader.load_checkpoint(str(path), "cpu")
    assert set(saved["state_dict"]) == set(sharded_cases.SumModel().state_dict())
    losses = sharded_cases.run(str(tmp_path), resume=True, load_from=str(path))
    assert losses == pytest.approx(found[0][0][name][0][8:], abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", [WRAPPERS[0], WRAPPERS[2]])
def test_a_run_goes_on_in_another_number_of_processes(found, name, tmp_path):
    losses = []
    # stopped in the middle of epochs; an epoch has four iterations
    for world_size, stop_at in ((2, 3), (4, 6), (1, None)):
        wrapper = name if world_size > 1 else None
        args = (str(tmp_path), wrapper, world_size, stop_at)
        losses += run_in_processes(sharded_cases.part_of_a_run, world_size, *args)[0]
    assert losses == pytest.approx(found[0][0][name][0], abs=1e-5)


def test_averages_of_models_of_flat_parameters_are_refused(found):
    text = "one sharded by FullyShardedDataParallel cannot be copied: shard it by MMFullyShard"
    assert text in found[0][0]["MMFullyShardedDataParallel ema"]
    assert "MMFullyShard ema" not in found[0][0]  # see test_parallel_runs.py
