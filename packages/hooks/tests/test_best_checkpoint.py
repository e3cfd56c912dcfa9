"""The record of best checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eng.checkpoint import CheckpointError
from eng.hooks.best_checkpoint import BestCheckpoint, BestCheckpoints


def record(metric: str, iteration: int, score: float = 0.5) -> BestCheckpoint:
    return BestCheckpoint(
        metric, score, f"best_{metric}_{iteration}.pth", iteration // 5, iteration
    )


def test_a_record_comes_back(tmp_path: Path) -> None:
    assert BestCheckpoints.read(str(tmp_path)).records == []
    written = BestCheckpoints([record("acc", 5), record("loss", 10, float("-inf"))])
    written.write(str(tmp_path))
    assert BestCheckpoints.read(str(tmp_path)).records == written.records
    assert [path.name for path in tmp_path.iterdir()] == ["best_checkpoint.json"]


def test_the_best_is_the_newest_of_its_metric() -> None:
    best = BestCheckpoints([record("acc", 5), record("loss", 10), record("acc", 15)])
    assert best.best("acc") == record("acc", 15)
    assert best.best("loss") == record("loss", 10)
    assert best.best("f1") is None


def test_all_files_that_were_the_best_before_can_go() -> None:
    best = BestCheckpoints([record("acc", 5), record("loss", 10), record("acc", 15)])
    assert best.add(record("acc", 20)) == ["best_acc_5.pth", "best_acc_15.pth"]
    assert best.add(record("acc", 20)) == ["best_acc_5.pth", "best_acc_15.pth"]


@given(st.lists(st.integers(0, 30)), st.integers(0, 30))
def test_what_came_later_is_not_known_earlier(iterations: list[int], now: int) -> None:
    best = BestCheckpoints([record("acc", each) for each in sorted(iterations)])
    assert [each.iter for each in best.up_to(now).records] == [
        each for each in sorted(iterations) if each <= now
    ]


@pytest.mark.parametrize("text", ["", "[]", '{"best": 3}', '{"best": [{"file": "x"}]}', "{"])
def test_a_file_that_is_not_a_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "best_checkpoint.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"best_checkpoint\.json is not a record .* remove"):
        BestCheckpoints.read(str(tmp_path))
