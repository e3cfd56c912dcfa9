"""DeepSpeedStrategy: the losses of Runner by stages of ZeRO, its checkpoints, those of others."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from workspace import ROOT

pytestmark = pytest.mark.clients

CASES = Path(__file__).with_name("deepspeed_cases.py")
#: What DeepSpeed imports, beside what is here.
NEEDED = ["deepspeed>=0.16", "hjson", "py-cpuinfo", "msgpack", "einops", "ninja", "psutil"]


@pytest.fixture(scope="module")
def path():
    """Folders for PYTHONPATH in which DeepSpeed is, installed there unless it is here."""
    if importlib.util.find_spec("deepspeed") is not None:
        return ""
    folder = ROOT / ".cache" / "deepspeed"
    if not (folder / "deepspeed").is_dir():
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*install, "--target", str(folder), *NEEDED], check=True)
    return str(folder)


@pytest.fixture(scope="module", params=[0, 2, 3], ids=lambda stage: f"stage {stage}")
def found(request, path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("deepspeed")
    env = {**os.environ, "DS_ACCELERATOR": "cpu", "PYTHONPATH": path}
    command = [sys.executable, str(CASES), str(folder), str(request.param)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-5000:]}"
    return json.loads((folder / "found.json").read_text(encoding="utf-8"))


def test_losses_are_those_of_runner(found):
    assert len(found["runner"]) == 8
    assert found["whole"] == pytest.approx(found["runner"], abs=1e-5)


def test_a_stopped_run_is_resumed_from_its_folder(found):
    assert found["resumed"] == pytest.approx(found["whole"], abs=1e-6)
    assert found["kept"] == ["epoch_2"]


def test_a_runner_that_only_evaluates_loads_the_weights(found):
    assert found["value of another"] == pytest.approx(found["value"], abs=1e-6)


def test_files_are_those_of_runner(found):
    assert found["from runner"] == pytest.approx(found["runner"][4:], abs=1e-5)
    assert found["by runner"] == pytest.approx(found["runner"][4:], abs=1e-5)


def test_a_folder_of_deepspeed_is_refused_by_others(found):
    assert "has the format of DeepSpeedStrategy, which alone can load it" in found["refused"]


def test_what_it_cannot_do_is_refused_before_training(found):
    average, wrapper, clipping, late = found["errors"]
    assert "EMAHook needs whole weights in checkpoints" in average
    assert "DeepSpeedStrategy needs optim_wrapper=dict(type='DeepSpeedOptimWrapper'" in wrapper
    assert "DeepSpeedOptimWrapper has no argument 'clip_grad'" in clipping
    assert "was made without an optimizer, to evaluate" in late


def test_a_loop_of_ones_own(found, request):
    stage = request.node.callspec.params["found"]
    expected = {"changed": True, "restored": True, "rest": 1, "stage": stage}
    assert found["by hand"] == expected
