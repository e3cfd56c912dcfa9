"""The command ``eng history``."""

import json
import os
import socket
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from recorded_runs import record_start, train

from eng.cli import main

HEAD = """\
01/01 00:00:00 - eng - INFO - Environment:
    Python: 3.11.7 (main)
    PyTorch: 2.13.0
    seed: 3
    processes: 2
01/01 00:00:01 - eng - INFO - Config:
lr = 0.1
"""


def entry(second, text, level="INFO"):
    return f"01/01 00:00:{second:02} - eng - {level} - {text}\n"


def position(second, epoch, batch):
    return entry(second, f"Epoch(train)  [{epoch:>2}][{batch:>3}/100]  lr: 1.0e-03  loss: 0.5")


@pytest.fixture
def story(tmp_path):
    """A run that was ended by a signal, resumed, killed, and resumed to its end."""
    work_dir = tmp_path / "runs" / "first"
    best = "The best checkpoint with 0.{0}000 accuracy at epoch {0} is best_accuracy_epoch_{0}.pth."
    saved = f"the newest checkpoint is {work_dir}/iter_250.pth. To resume: resume=True"
    logs = [
        HEAD
        + "".join(entry(10 + i, best.format(i)) for i in range(1, 8))
        + position(20, 8, 50)
        + entry(21, f"SIGTERM: training was ended after 750 iterations; {saved}", "WARNING"),
        HEAD
        + entry(30, f"Resumed from {work_dir}/iter_250.pth: epoch 7, iter 750.")
        + entry(31, "dataset is small", "WARNING")
        + entry(31, "dataset is small", "WARNING")
        + position(32, 9, 100),
        HEAD
        + entry(40, f"Resumed from {work_dir}/epoch_8.pth: epoch 8, iter 800.")
        + entry(59, "Done. Checkpoints: x; log: y"),
    ]
    for place, log in enumerate(logs):
        record_start(work_dir, f"20260101_00000{place}", [train(1, 1, loss=1)], "abcdef0123", log)
    for name in ("epoch_8.pth", "epoch_9.pth"):
        (work_dir / name).write_bytes(b"")
        os.utime(work_dir / name, (1, int(name[6])))
    (work_dir / "last_checkpoint").write_text("epoch_9.pth")
    return work_dir


def test_the_story_of_a_run(story, capsys, monkeypatch):
    monkeypatch.chdir(story.parent)
    assert main(["history", "first"]) == 0
    started = "started: seed 3, 2 processes, torch 2.13.0, Python 3.11.7"
    assert (
        capsys.readouterr().out
        == f"""\
first: 3 starts, 1 min 52 s in all

run abcdef01
  2026-01-01 00:00:00  {started}
             00:00:11  best accuracy 0.1000 at epoch 1: best_accuracy_epoch_1.pth
                       ... 3 more (best); --all shows them
             00:00:15  best accuracy 0.5000 at epoch 5: best_accuracy_epoch_5.pth
             00:00:16  best accuracy 0.6000 at epoch 6: best_accuracy_epoch_6.pth
             00:00:17  best accuracy 0.7000 at epoch 7: best_accuracy_epoch_7.pth
             00:00:21  ended by SIGTERM after 750 iterations, saved iter_250.pth
  2026-01-01 00:00:00  {started}
             00:00:30  resumed from iter_250.pth: epoch 7, iteration 750
             00:00:31  warning: dataset is small
             00:00:32  the log ends at epoch 9, batch 100 of 100, without a closing line
  2026-01-01 00:00:00  {started}
             00:00:40  resumed from epoch_8.pth: epoch 8, iteration 800
             00:00:59  finished

checkpoints: epoch_8.pth, epoch_9.pth (last)
"""
    )
    assert main(["history", "first", "--all"]) == 0
    told = capsys.readouterr().out
    assert told.count("best accuracy") == 7
    assert told.count("dataset is small") == 2


@pytest.mark.parametrize(
    ("batches", "end"),
    [
        ((5, 10), "tested"),
        ((5,), "the log ends, without a closing line"),
    ],
)
def test_a_test_has_ended_with_its_last_batch(tmp_path, capsys, batches, end):
    lines = [
        f"2026/01/01 00:01:{batch:02} - eng - INFO - Epoch(test)  [{batch:>2}/10]  accuracy: 0.5"
        for batch in batches
    ]
    record_start(tmp_path, "20260101_000000", [], log=HEAD + "\n".join(lines) + "\n")
    assert main(["history", str(tmp_path)]) == 0
    assert f"00:01:{batches[-1]:02}  {end}\n" in capsys.readouterr().out


def test_checkpoints_that_are_folders(tmp_path, capsys):
    record_start(tmp_path, "20260101_000000", [], log=HEAD)
    for name in ("iter_10", "iter_20.part-01234567", "iter_30"):
        (tmp_path / name).mkdir()
        if name != "iter_30":  # which is no checkpoint
            (tmp_path / name / "complete.json").touch()
    (tmp_path / "last_checkpoint").write_text("iter_10")
    assert main(["history", str(tmp_path)]) == 0
    assert "checkpoints: iter_10 (last)\n" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["running at", "killed at epoch 8"])
def test_a_run_in_progress(tmp_path, capsys, word):
    pid = os.getpid() if word == "running at" else 2**22 + 1
    record_start(tmp_path, "20260101_000000", [], log=HEAD + position(20, 8, 50))
    owner = {"host": socket.gethostname(), "pid": pid}
    (tmp_path / ".train.lock").write_text(json.dumps(owner))
    assert main(["history", str(tmp_path)]) == 0
    assert word in capsys.readouterr().out


def test_several_runs_in_a_folder_and_a_new_year(tmp_path, capsys):
    old = "12/31 23:59:59 - eng - INFO - Environment:\n    seed: 1\n" + position(2, 1, 1)
    record_start(tmp_path, "20251231_235959", [], "one", old)
    record_start(tmp_path, "20260101_000000", [], "two", HEAD)
    record_start(tmp_path, "20260101_000001", [], "two")
    assert main(["history", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{tmp_path}: 2 runs, 3 starts, ")
    assert "  2025-12-31 23:59:59  started: seed 1\n  2026-01-01 00:00:02  the log ends" in told
    assert "  20260101_000001  no log" in told


def test_logs_of_the_original_engine(tmp_path, capsys):
    log = """\
2023/02/03 10:00:00 - mmengine - INFO -
------------------------------------------------------------
System environment:
    PyTorch: 1.13.0
    GPU number: 8
------------------------------------------------------------

2023/02/03 10:01:00 - mmengine - INFO - resumed epoch: 2, iter: 200
2023/02/03 10:02:00 - mmengine - INFO - Saving checkpoint at 3 epochs
2023/02/03 10:03:00 - mmengine - INFO - The best checkpoint with 0.5000 coco/bbox_mAP at 3 epoch \
is saved to best_3.pth.
2023/02/03 10:04:00 - mmengine - INFO - Iter(train) [ 400/1000]  lr: 1e-3
"""
    record_start(tmp_path, "20230203_100000", [], None, log)
    assert main(["history", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[3:] == [
        "  2023-02-03 10:00:00  started: 8 processes, torch 1.13.0",
        "             10:01:00  resumed at epoch 2, iteration 200",
        "             10:02:00  checkpoint at epoch 3",
        "             10:03:00  best coco/bbox_mAP 0.5000 at epoch 3: best_3.pth",
        "             10:04:00  the log ends at iteration 400, without a closing line",
    ]
