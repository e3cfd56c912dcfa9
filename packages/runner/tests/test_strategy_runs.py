"""Strategies in two processes: the losses of Runner, and checkpoints that all can load."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import strategy_cases

from eng.dist.testing import run_in_processes
from eng.runner import DDPStrategy, RunnerConfigError


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strategies")
    return run_in_processes(strategy_cases.losses_and_resumed, 2, str(folder)), folder


def test_losses_are_those_of_runner_to_the_bit(found):
    losses, _ = found[0][0]
    assert len(losses["runner"]) == 8
    assert losses["ddp"] == losses["runner"]
    assert losses["local"] == pytest.approx(losses["runner"], abs=1e-5)


@pytest.mark.parametrize("name", ["full from runner", "ddp from local", "runner from local"])
def test_what_one_saves_the_other_resumes(found, name):
    losses, resumed = found[0][0]
    assert resumed[name] == pytest.approx(losses["runner"][4:], abs=1e-5)


def test_fsdp_saves_folders_or_files(found):
    _, folder = found
    assert (folder / "local" / "epoch_2" / "complete.json").is_file()
    assert (folder / "full" / "epoch_2.pth").is_file()
    saved = torch.load(folder / "full" / "epoch_2.pth", weights_only=True)
    assert saved["state_dict"]["net.0.weight"].shape == (5, 3)


def test_fsdp_without_a_runner(tmp_path):
    found = run_in_processes(strategy_cases.sharded_by_hand, 2, str(tmp_path))[0]
    assert found.pop("changed") == dict.fromkeys(
        ["net.0.weight", "net.0.bias", "net.3.weight", "net.3.bias"], True
    )
    assert found == {
        "same again": True,
        "recomputed": True,
        "kept": True,
        "trains": found["trains"],
        "rest": ["meta", "note"],
        "equal": True,
        "buffer": 1.0,
        "ddp equal": True,
        "step": {1.0},
        "files": "2",
    }
    assert 0 < found["trains"] < 26  # its shard of 26 parameters


def test_several_processes_need_a_launcher(tmp_path):
    with pytest.raises(RunnerConfigError, match="DDPStrategy needs the processes of a launcher"):
        DDPStrategy(work_dir=str(tmp_path))
