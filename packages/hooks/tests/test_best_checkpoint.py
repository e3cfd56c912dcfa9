"""The record of best checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eng.hooks.best_checkpoint import BestCheckpoint, BestCheckpoints


def record(metric: str, iteration: int, score: float = 0.5) -> BestCheckpoint:
    return BestCheckpoint(
        metric, score, f"best_{metric}_{iteration}.pth", iteration // 5, iteration
    )


def test_a_record_comes_back(tmp_path: Path) -> None:
    assert BestCheckpoints.read(str(tmp_path), "run") is None
    written = BestCheckpoints("run", [record("acc", 5), record("loss", 10, float("-inf"))])
    written.write(str(tmp_path), ["acc", "loss"])
    found = BestCheckpoints.read(str(tmp_path), "run")
    assert found is not None
    assert found.records == written.records
    assert [path.name for path in tmp_path.iterdir()] == ["best_checkpoint.json"]


def test_a_record_of_another_run_is_left_alone_until_there_is_a_new_one(tmp_path: Path) -> None:
    BestCheckpoints("old", [record("acc", 5)]).write(str(tmp_path), ["acc"])
    assert BestCheckpoints.read(str(tmp_path), "new") is None
    BestCheckpoints("new", [record("loss", 5)]).write(str(tmp_path), ["loss"])
    found = BestCheckpoints.read(str(tmp_path), "new")
    assert found is not None
    assert found.records == [record("loss", 5)]


def test_other_metrics_of_the_same_run_are_kept(tmp_path: Path) -> None:
    BestCheckpoints("run", [record("acc", 5)]).write(str(tmp_path), ["acc"])
    BestCheckpoints("run", [record("loss", 5), record("loss", 10)]).write(str(tmp_path), ["loss"])
    found = BestCheckpoints.read(str(tmp_path), "run")
    assert found is not None
    assert found.records == [record("acc", 5), record("loss", 5), record("loss", 10)]


def test_a_metric_of_which_nothing_is_left_is_forgotten(tmp_path: Path) -> None:
    best = BestCheckpoints("run", [record("acc", 5), record("loss", 10)])
    best.write(str(tmp_path), ["acc", "loss"])
    best.up_to(3).write(str(tmp_path), ["acc"])
    found = BestCheckpoints.read(str(tmp_path), "run")
    assert found is not None
    assert found.records == [record("loss", 10)]


def test_the_best_is_the_newest_of_its_metric() -> None:
    best = BestCheckpoints("run", [record("acc", 5), record("loss", 10), record("acc", 15)])
    assert best.best("acc") == record("acc", 15)
    assert best.best("loss") == record("loss", 10)
    assert best.best("f1") is None


def test_all_files_that_were_the_best_before_can_go() -> None:
    records = [record("acc", 5), record("loss", 10), record("acc", 15), record("acc", 15)]
    best = BestCheckpoints("run", records)
    assert best.superseded("acc") == ["best_acc_5.pth"]
    assert best.superseded("loss") == best.superseded("f1") == []


@given(st.lists(st.integers(0, 30)), st.integers(0, 30))
def test_what_came_later_is_not_known_earlier(iterations: list[int], now: int) -> None:
    best = BestCheckpoints("run", [record("acc", each) for each in sorted(iterations)])
    assert [each.iter for each in best.up_to(now).records] == [
        each for each in sorted(iterations) if each <= now
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"best": 3}', '{"run": "run", "best": [{"file": "x"}]}', "{"]
)
def test_a_file_that_is_not_a_record_is_reported_and_left_out(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "best_checkpoint.json"
    path.write_text(text)
    assert BestCheckpoints.read(str(tmp_path), "run") is None
    BestCheckpoints("run", [record("acc", 5)]).write(str(tmp_path), ["acc"])
    assert BestCheckpoints.read(str(tmp_path), "run") is not None


def test_what_a_later_version_adds_is_left_out(tmp_path: Path) -> None:
    written = BestCheckpoints("run", [record("acc", 5)])
    written.write(str(tmp_path), ["acc", "loss"])
    path = tmp_path / "best_checkpoint.json"
    path.write_text(path.read_text().replace('"epoch"', '"later": 3, "epoch"'))
    found = BestCheckpoints.read(str(tmp_path), "run")
    assert found is not None
    assert found.records == written.records
