"""Curves of recorded runs."""

import json
import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from recorded_runs import record_start, train, validate

from eng.utils import UserError
from eng.vis.runs import find_starts, read_curves
from eng.vis.runs.panels import list_panels, name_runs
from eng.vis.runs.smoothing import smooth


def test_validation_is_placed_behind_its_epoch(tmp_path):
    records = [
        train(2, 1, loss=3.0, lr=0.1, time=0.5),
        train(4, 1, loss=2.0, lr=0.1, time=0.5),
        validate(1, acc=0.5),
        train(7, 2, loss=1.0, lr=0.1, time=0.5),
        validate(2, acc=0.7),
    ]
    record_start(tmp_path, "20260101_000000", records)
    curves = read_curves(tmp_path).curves
    assert (curves["loss"].steps, curves["loss"].values) == ([2, 4, 7], [3, 2, 1])
    assert (curves["acc"].steps, curves["acc"].values) == ([4, 7], [0.5, 0.7])
    assert curves["time"].values == [0.5] * 3
    assert curves["val/time"].values == [0.2] * 2
    ends = [{"epoch": 1, "iter": 5, "metrics": {}}, {"epoch": 2, "iter": 10, "metrics": {}}]
    (tmp_path / "validations.json").write_text(json.dumps({"run": "run", "validations": ends}))
    start = tmp_path / "20260101_000000"
    for place in (tmp_path, start, start / "vis_data"):
        assert read_curves(place).curves["acc"].steps == [5, 10]


def test_validation_by_iterations_and_scalars_of_the_user(tmp_path):
    records = [
        {"mine": 5, "step": 1},
        train(100, 0, loss=1),
        validate(100, acc=1),
        {"mine": 6, "step": 150},
    ]
    record_start(tmp_path, "20260101_000000", records)
    curves = read_curves(tmp_path).curves
    assert curves["acc"].steps == [100]
    assert curves["mine"].steps == [1, 150]


@pytest.mark.parametrize("run_id", ["run", None])
def test_a_resumed_run_is_one_curve(tmp_path, run_id):
    record_start(tmp_path, "20260101_000000", [train(i, 1, loss=i) for i in (1, 2, 3, 4)], run_id)
    record_start(tmp_path, "20260101_000001", [train(i, 1, loss=-i) for i in (3, 4, 5)], run_id)
    curve = read_curves(tmp_path).curves["loss"]
    assert (curve.steps, curve.values) == ([1, 2, 3, 4, 5], [1, 2, -3, -4, -5])


def test_a_start_that_only_validates_belongs_behind_its_epoch(tmp_path):
    first = [train(4, 1, loss=2.0), validate(1, acc=0.5), train(9, 2, loss=1.0)]
    record_start(tmp_path, "20260101_000000", first)
    record_start(tmp_path, "20260101_000001", [validate(2, acc=0.7)])
    curve = read_curves(tmp_path).curves["acc"]
    assert (curve.steps, curve.values) == ([4, 9], [0.5, 0.7])
    ends = [{"epoch": 1, "iter": 5, "metrics": {}}, {"epoch": 2, "iter": 10, "metrics": {}}]
    (tmp_path / "validations.json").write_text(json.dumps({"run": "run", "validations": ends}))
    assert read_curves(tmp_path).curves["acc"].steps == [5, 10]


def test_the_newest_of_several_runs(tmp_path):
    for name, run_id in (("000000", "old"), ("000001", "new"), ("000002", "new")):
        record_start(tmp_path, f"20260101_{name}", [train(1, 1, loss=1)], run_id)
    assert [start.name for start in find_starts(tmp_path)] == ["20260101_000001", "20260101_000002"]
    assert len(find_starts(tmp_path, every=True)) == 3
    assert len(find_starts(tmp_path / "20260101_000000")) == 1


def test_starts_within_one_second_are_in_order(tmp_path):
    names = ["20260101_000000", *(f"20260101_000000_{count}" for count in (2, 9, 10))]
    for name in reversed(names):
        record_start(tmp_path, name, [train(1, 1, loss=1)])
    assert [start.name for start in find_starts(tmp_path)] == names


def test_a_run_in_progress_and_values_that_are_not_finite(tmp_path):
    file = tmp_path / "scalars.json"
    lines = [json.dumps(train(i, 1, loss=v)) for i, v in ((1, math.nan), (2, math.inf), (3, 1.0))]
    file.write_text("\n".join([*lines, '{"step": 4, "lo']))
    values = read_curves(file).curves["loss"].values
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, 1.0]


def test_without_records(tmp_path):
    with pytest.raises(UserError, match="is not a directory"):
        read_curves(tmp_path / "nothing")
    with pytest.raises(UserError, match="has no records of a run: expected folders such as"):
        read_curves(tmp_path)
    record_start(tmp_path, "20260101_000000", [])
    with pytest.raises(UserError, match=r"no scalars are recorded yet in .*scalars\.json"):
        read_curves(tmp_path)


def test_panels(tmp_path):
    scalars = dict(time=1, lr=1, acc=1, loss=1, loss_b=1, grad_norm=1)
    record_start(tmp_path, "20260101_000000", [train(1, 1, **scalars)])
    run = read_curves(tmp_path)
    assert list_panels([run]) == ["loss", "loss_b", "acc", "lr", "time", "grad_norm"]
    assert list_panels([run], "^loss$|acc") == ["loss", "acc"]
    with pytest.raises(UserError, match=r"no scalar matches 'x'; recorded are: acc, grad_norm"):
        list_panels([run], "x")
    with pytest.raises(UserError, match=r"invalid regular expression '\('"):
        list_panels([run], "(")


def test_names_of_runs():
    assert name_runs(["/a/run", "/b/run", "/b/other"]) == ["a/run", "b/run", "b/other"]
    assert name_runs(["/a/run", "/a/run"]) == ["/a/run (1)", "/a/run (2)"]


def test_smoothing():
    assert smooth([2.0, 2.0, math.nan, 2.0], 0.9)[3] == pytest.approx(2)
    assert smooth([1.0, 5.0], 0) == [1, 5]
