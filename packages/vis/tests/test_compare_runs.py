"""The command ``eng diff``."""

import json
import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from recorded_runs import record_start, train, validate

from eng.cli import main
from eng.config import Config
from eng.vis import LocalVisBackend
from eng.vis.runs.compare import compare_runs

LOG = """\
2026/01/01 00:00:00 - mmengine - INFO -
------------------------------------------------------------
System environment:
    sys.platform: linux
    PyTorch: {torch}

Runtime environment:
    cudnn_benchmark: False
    seed: {seed}
------------------------------------------------------------

2026/01/01 00:00:01 - mmengine - INFO - Config:
    a: 1
"""


@pytest.fixture
def make_run(tmp_path):
    def make(name, records=None, config="lr = 0.1\n", torch="2.9", seed="0", batches=None):
        log = LOG.format(torch=torch, seed=seed)
        records = [train(10, 1, loss=2.0, time=0.1)] if records is None else records
        folder = record_start(tmp_path / name, "20260101_000000", records, None, log)
        (folder / "config.py").write_text(config)
        if batches:
            text = "".join(f"{json.dumps(each)}\n" for each in batches)
            (folder / "batches.jsonl").write_text(text)
        return tmp_path / name

    return make


def test_the_same(make_run, capsys):
    records = [train(10, 1, loss=math.nan, time=0.1), validate(1, acc=1.0)]
    left, right = make_run("a", records), make_run("b", [{**each, "time": 9} for each in records])
    assert main(["diff", str(left), str(right)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "config: same",
        "environment: same",
        "seed: same",
        "data: not recorded; add dict(type='BatchRecordHook') to custom_hooks of both runs",
        "losses: same at all 1 recorded iterations",
        "samples: not recorded",
    ]


def test_everything_differs(make_run, capsys):
    left = make_run(
        "a",
        [train(10, 1, loss=2.0, lr=0.1), train(20, 1, loss=1.0, lr=0.1)],
        "model = dict(depth=18)\nlr = 0.1\n",
        batches=[
            {"data": {"samples": 100}},
            *({"iter": i, "batch": f"{i}", "losses": {"loss": 1 / i}} for i in (1, 2, 3)),
        ],
    )
    right = make_run(
        "b",
        [train(10, 1, loss=2.0, lr=0.1), train(20, 1, loss=1.5, lr=0.2)],
        "model = dict(depth=50)\nlr = 0.1\nextra = 1\n",
        torch="2.13",
        seed="1",
        batches=[
            {"data": {"samples": 99}},
            {"iter": 1, "batch": "1", "losses": {"loss": 1.0}},
            {"iter": 2, "batch": "2", "losses": {"loss": 0.25}},
            {"iter": 3, "batch": "x", "samples": [5, 6], "losses": {"loss": 0.1}},
        ],
    )
    assert main(["diff", str(left), str(right)]) == 1
    config = "20260101_000000/config.py"
    assert capsys.readouterr().out.splitlines() == [
        "config: 2 differences",
        f"  model.depth: 18 ({left}/{config}:1) -> 50 ({right}/{config}:1)",
        f"  extra: (missing) -> 1 ({right}/{config}:3)",
        "environment: 1 difference",
        "  PyTorch: 2.9 -> 2.13",
        "seed: 0 -> 1",
        "data: 1 difference",
        "  samples: 100 -> 99",
        "losses: first differ at iteration 2, equal up to iteration 1: loss 0.5 -> 0.25",
        "other scalars: first differ at iteration 20, equal up to iteration 10: lr 0.1 -> 0.2",
        "samples: first differ at iteration 3, equal up to iteration 2: batch '3' -> '[5, 6] x'",
    ]


def test_losses_by_the_records_of_the_log(make_run):
    left = make_run("a", [train(i, 1, loss=1 / i) for i in (10, 20, 30)])
    right = make_run("b", [train(i, 1, loss=1 / i + (i == 30) * 1e-16) for i in (20, 25, 30)])
    first = compare_runs(left, right).losses
    assert (first.iteration, first.name, first.before) == (30, "loss", 20)
    assert first.left == "0.03333333333333333"


def test_a_resumed_run_repeats_iterations(make_run):
    left = make_run("a", batches=[{"iter": i, "batch": "x", "losses": {}} for i in (1, 2, 3)])
    right = make_run("b", batches=[{"iter": i, "batch": "x", "losses": {}} for i in (1, 2)])
    again = record_start(right, "20260101_000001", [], None)
    lines = [json.dumps({"iter": i, "batch": "y" if i == 3 else "x"}) for i in (2, 3)]
    (again / "batches.jsonl").write_text("\n".join(lines))
    found = compare_runs(left, right)
    assert found.batches == 3
    assert found.samples.iteration == 3


def test_origins_that_the_run_recorded(make_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("base.py").write_text("optimizer = dict(lr=0.1, momentum=0.9)\nhooks = [dict(a=1)]\n")
    Path("job.py").write_text("_base_ = 'base.py'\noptimizer = dict(lr=0.2)\n")
    config = Config.fromfile("job.py")
    config.merge_from_dict({"extra": 1})
    left, right = make_run("a", config=config.pretty_text), make_run("b", config="extra = 2")
    LocalVisBackend(str(left / "20260101_000000" / "vis_data")).add_config(config)
    origins = json.loads((left / "20260101_000000/vis_data/config.origins").read_text())
    assert origins == {
        "optimizer.lr": f"{tmp_path}/job.py:2",
        "optimizer.momentum": f"{tmp_path}/base.py:1",
        "hooks.0.a": f"{tmp_path}/base.py:2",
        "extra": origins["extra"],
    }
    assert origins["extra"].startswith("set by ")
    found = {each.key: each.left_origin for each in compare_runs(left, right).config}
    assert found["extra"] == origins["extra"]


def test_places_of_runs_do_not_count_and_configs_may_be_missing(make_run, capsys):
    left, right = make_run("a", config="work_dir = 'a'"), make_run("b", config="work_dir = 'b'")
    assert compare_runs(left, right).config == []
    (left / "20260101_000000" / "config.py").unlink()
    assert main(["diff", str(left), str(right)]) == 1
    told = capsys.readouterr().out
    assert told.startswith(f"config: not compared, {left}/20260101_000000 has no config\n")


def test_the_environment_of_a_run_may_be_missing(make_run, capsys):
    left, right = make_run("a"), make_run("b")
    assert main(["diff", str(left), str(right)]) == 0
    assert "environment: same\nseed: same\n" in capsys.readouterr().out
    for log in left.rglob("*.log"):
        log.write_text("")
    reason = f"environment and seed: not compared, {left}/20260101_000000 has no log of it\n"
    for runs in ((left, right), (right, left)):
        assert main(["diff", *map(str, runs)]) == 1
        assert reason in capsys.readouterr().out


def test_configs_are_not_executed(make_run):
    """They may be of somebody else, or have values for reading only."""
    left = make_run(
        "a", config="x = tensor([1.0])\ny = exit(1)\nz = dict({'a-b': [1, dict()]}, **{'c': ()})\n"
    )
    right = make_run(
        "b", config="y = exit(1)\nx = tensor([2.0])\nz = {'a-b': [1, {}, 3], 'c': (1,)}\n"
    )
    found = [(each.key, each.left, each.right) for each in compare_runs(left, right).config]
    assert found == [
        ("x", "tensor([1.0])", "tensor([2.0])"),
        ("z.a-b.1", "dict()", "{}"),
        ("z.c", "()", "(missing)"),
        ("z.a-b.2", "(missing)", "3"),
        ("z.c.0", "(missing)", "1"),
    ]


def test_configs_as_data(make_run):
    left, right = make_run("a"), make_run("b")
    for run, text in ((left, "lr: 0.1\nsteps: [1, 2]\n"), (right, "lr: 0.1\nsteps: [1, 3]\n")):
        (run / "20260101_000000" / "config.py").unlink()
        (run / "20260101_000000" / "config.yaml").write_text(text)
    (found,) = compare_runs(left, right).config
    assert (found.key, found.left, found.right) == ("steps.1", "2", "3")


def test_mistakes(make_run, tmp_path, capsys):
    assert main(["diff", str(make_run("a")), str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith(f"eng: {tmp_path}/none is not a directory")
    broken = make_run("broken", config="lr = (\n")
    assert main(["diff", str(broken), str(broken)]) == 1
    assert "config: not compared, " in capsys.readouterr().out
