"""Records of batches, and the comparison of runs by them."""

import copy
import json
from pathlib import Path

import pytest

from eng.cli import main
from eng.runner import Runner


def run(job, name, change=None, **settings):
    job = copy.deepcopy(job)
    job.update(
        work_dir=str(Path(job["work_dir"]) / name), custom_hooks=[{"type": "BatchRecordHook"}]
    )
    job.update(settings)
    runner = Runner.from_cfg(job)
    if change is not None:
        change(runner.train_dataloader.dataset)
    runner.train()
    return runner


def read(runner):
    files = sorted(Path(runner.work_dir).glob("*/batches.jsonl"))
    return [[json.loads(line) for line in file.read_text().splitlines()] for file in files]


def test_equal_runs_and_a_changed_sample(job, capsys):
    job.pop("val_cfg"), job.pop("val_dataloader"), job.pop("val_evaluator")
    whole = run(job, "a")
    again = run(job, "b")
    (records,) = read(whole)
    assert records[0]["data"] == {
        "dataset": "LineData",
        "processes": 1,
        "samples": 20,
        "batches": 5,
        "batch_size": 4,
        "metainfo.task": "'line'",
    }
    assert [each["iter"] for each in records[1:]] == list(range(1, 16))
    assert all(each["losses"].keys() == {"loss"} for each in records[1:])
    capsys.readouterr()
    assert main(["diff", whole.work_dir, again.work_dir]) == 0
    told = capsys.readouterr().out
    assert "losses: same at all 15 recorded iterations" in told
    assert "samples: same at all 15 recorded iterations" in told

    def spoil(dataset):
        dataset.x[11, 0] += 1

    order = list(whole.train_dataloader.sampler)  # of the last epoch; the first may differ
    assert 11 in order
    other = run(job, "c", spoil)
    changed = read(other)[0]
    first = next(a["iter"] for a, b in zip(records[1:], changed[1:], strict=True) if a != b)
    assert 1 <= first <= 5
    capsys.readouterr()
    assert main(["diff", whole.work_dir, other.work_dir]) == 1
    told = capsys.readouterr().out
    assert f"losses: first differ at iteration {first}" in told
    assert f"samples: first differ at iteration {first}" in told
    assert "config: same" in told

    assert main(["diff", whole.work_dir, run(job, "d", randomness={"seed": 2}).work_dir]) == 1
    told = capsys.readouterr().out
    assert "seed: 1 -> 2" in told
    assert "samples: first differ at iteration 1: batch " in told


def test_a_resumed_run_has_the_record_of_a_whole_one(job, capsys):
    whole = run(job, "a")
    run(job, "b", train_cfg={"by_epoch": True, "max_epochs": 2})
    resumed = run(job, "b", resume=True)
    assert len(read(resumed)) == 2
    capsys.readouterr()
    main(["diff", whole.work_dir, resumed.work_dir])
    told = capsys.readouterr().out
    assert "losses: same at all 15 recorded iterations" in told
    assert "samples: same at all 15 recorded iterations" in told
    assert main(["history", resumed.work_dir]) == 0
    told = capsys.readouterr().out
    assert "2 starts" in told
    assert "resumed from epoch_2.pth: epoch 2, iteration 10" in told


def test_interval(job):
    runner = run(job, "a", custom_hooks=[{"type": "BatchRecordHook", "interval": 6}])
    assert [each.get("iter") for each in read(runner)[0]] == [None, 6, 12]
    with pytest.raises(ValueError, match="interval must be at least 1"):
        run(job, "b", custom_hooks=[{"type": "BatchRecordHook", "interval": 0}])
