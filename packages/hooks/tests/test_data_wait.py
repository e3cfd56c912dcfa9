"""A training that waits for its data says so once."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.hooks.data_wait import DataWaitNotice


@pytest.mark.parametrize(
    ("waited", "workers", "expected"),
    [
        (0.9, 0, "61% of the time|num_workers=0 loads it between the steps"),
        (0.9, 4, "raise num_workers (4)"),
        (0.9, None, "load it in other processes"),
        (0.3, 0, None),
        (0.001, 0, None),
    ],
)
def test_it_says_once_that_training_waits_for_data(
    tmp_path: Path, caplog: Any, waited: float, workers: int | None, expected: str | None
) -> None:
    loader = SimpleNamespace() if workers is None else SimpleNamespace(num_workers=workers)
    runner: Any = FakeRunner(tmp_path, train_dataloader=loader)
    notice = DataWaitNotice()
    notice.begin(runner)
    with caplog.at_level("INFO"):
        for done in range(1, 100):
            runner.message_hub.update_scalar("train/data_time", waited)
            took = waited / 0.61 if waited > 0.5 else max(1.0, waited)
            runner.message_hub.update_scalar("train/time", took if waited > 0.01 else 0.0011)
            notice.look(runner, done)
    found = [record.getMessage() for record in caplog.records if "waiting for data" in record.msg]
    assert len(found) == (0 if expected is None else 1)
    for part in (expected or "").split("|"):
        assert expected is None or part in found[0]
