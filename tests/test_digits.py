"""The main job of the project, as the README starts it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

ROOT = Path(__file__).parent.parent
CONFIG = str(ROOT / "examples" / "digits" / "config.py")
ENG = [sys.executable, "-m", "eng.cli"]


def accuracies(work_dir: Path) -> list[float]:
    """Validation accuracies of the newest start in a work directory."""
    newest = max(work_dir.glob("*/vis_data/scalars.json"))
    records = [json.loads(line) for line in newest.read_text().splitlines()]
    return [record["accuracy"] for record in records if "accuracy" in record]


def log_of(work_dir: Path) -> str:
    return max(work_dir.glob("*/*.log")).read_text()


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work_dir = tmp_path_factory.mktemp("digits") / "whole"
    subprocess.run(
        [*ENG, "train", CONFIG, "--work-dir", str(work_dir)], check=True, capture_output=True
    )
    return work_dir


def test_learns_digits_and_keeps_what_it_should(whole_run: Path) -> None:
    assert accuracies(whole_run)[-1] >= 0.97
    names = sorted(path.name for path in whole_run.glob("*.pth"))
    assert names[1:] == ["epoch_14.pth", "epoch_15.pth"]
    assert re.fullmatch(r"best_accuracy_epoch_\d+\.pth", names[0])
    assert "Epoch(train)  [15][20/23]  lr: " in log_of(whole_run)


def test_checkpoint_tests_to_the_accuracy_of_validation(whole_run: Path, tmp_path: Path) -> None:
    command = [*ENG, "test", CONFIG, str(whole_run / "epoch_15.pth"), "--work-dir", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    assert f"accuracy: {accuracies(whole_run)[-1]:.4f}" in log_of(tmp_path)


def test_inferencer_recognises_files_arrays_lists_and_folders(
    whole_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "digits"))
    from inferencer import DigitsInferencer

    images, labels = load_digits(return_X_y=True)
    arrays = list((images.reshape(-1, 8, 8) * 255 / 16).round().astype(np.uint8))
    folder = tmp_path / "images"
    folder.mkdir()
    for place in range(10):
        Image.fromarray(arrays[place]).save(folder / f"{place}.png")
    files = [str(path) for path in sorted(folder.iterdir())]

    inferencer = DigitsInferencer(weights=str(whole_run / "epoch_15.pth"), device="cpu")
    everything = inferencer(arrays, batch_size=256)["predictions"]
    assert np.mean([found["pred"] for found in everything] == labels) >= 0.97
    first = everything[:10]
    for given in (arrays[:10], files, str(folder), folder):
        for batch_size in (1, 4):
            found = inferencer(given, batch_size=batch_size)["predictions"]
            assert [pred["pred"] for pred in found] == [pred["pred"] for pred in first]
            scores = [pred["score"] for pred in found]
            assert scores == pytest.approx([pred["score"] for pred in first], rel=1e-4)
    for given in (arrays[3], files[3]):
        assert inferencer(given)["predictions"][0]["pred"] == first[3]["pred"]

    results = inferencer(folder, batch_size=4, out_dir=str(tmp_path / "pictures"))
    for place, picture in enumerate(results["visualization"]):
        saved = np.asarray(Image.open(tmp_path / "pictures" / f"{place}.png"))
        assert np.array_equal(saved, picture)
        assert picture.shape == (190, 160, 3)
        assert np.array_equal(picture[40::20, 10::20, 0], arrays[place])  # the pixels, enlarged
        assert picture[:30].max() > 200  # the caption above


def test_inferencer_from_the_command_line(whole_run: Path, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    script = str(ROOT / "examples" / "digits" / "inferencer.py")
    command = [sys.executable, script, str(whole_run / "epoch_15.pth"), str(tmp_path / "a.png")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert set(json.loads(done.stdout.splitlines()[-1])) == {"pred", "score"}


@pytest.mark.exact
def test_interrupted_run_goes_on_to_the_same_accuracy(whole_run: Path, tmp_path: Path) -> None:
    command = [*ENG, "train", CONFIG, "--work-dir", str(tmp_path)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As at a terminal, also where these tests are run by something that ignores Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "last_checkpoint").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in told
    before = len(accuracies(tmp_path)) if list(tmp_path.glob("*/vis_data/scalars.json")) else 0
    time.sleep(1.1)  # a start of its own second, so that its log sorts after the first one
    subprocess.run([*command, "--resume"], check=True, capture_output=True)
    assert "Resumed from" in log_of(tmp_path)
    assert before < len(accuracies(whole_run))
    rest = accuracies(tmp_path)
    assert rest == accuracies(whole_run)[-len(rest) :]


def test_two_processes(tmp_path: Path) -> None:
    # On the CPU everywhere: two processes cannot share one GPU.
    env = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    command += ["eng.cli", "train", CONFIG, "--work-dir", str(tmp_path)]
    subprocess.run(
        [sys.executable, "-m", *command, "--launcher", "pytorch"],
        check=True,
        capture_output=True,
        env=env,
    )
    assert accuracies(tmp_path)[-1] >= 0.96
    # 1,438 images in batches of 64: 23 iterations an epoch in one process, 12 in each of two.
    assert "Epoch(train)  [15][10/12]" in log_of(tmp_path)
