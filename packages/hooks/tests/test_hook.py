"""Stages and intervals."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from fake_runner import FakeRunner

from eng.hooks import (
    Hook,
)


def test_triggered_stages() -> None:
    class Shared(Hook):
        def _before_epoch(self, runner: Any, mode: str = "train") -> None: ...

        def after_run(self, runner: Any) -> None: ...

    expected = ["before_train_epoch", "before_val_epoch", "before_test_epoch", "after_run"]
    assert Shared.get_triggered_stages() == expected
    assert Hook.get_triggered_stages() == []


def test_intervals(tmp_path: Path) -> None:
    hook, runner = Hook(), FakeRunner(tmp_path, epoch=3, iter=7)
    assert hook.every_n_epochs(runner, 2)
    assert not hook.every_n_epochs(runner, 3)
    assert not hook.every_n_epochs(runner, -1)
    assert hook.every_n_train_iters(runner, 4)
    assert hook.every_n_inner_iters(4, 5)
    assert hook.is_last_train_epoch(runner)
    assert hook.is_last_train_iter(runner)
    assert hook.end_of_epoch([0, 1, 2], 2)


@pytest.mark.parametrize(
    ("done", "n", "start", "expected"),
    [
        (2, 2, 3, True),  # the third one, where the count starts
        (1, 2, 3, False),
        (4, 2, 3, True),
        (3, 2, 3, False),
        (0, 1, 5, False),
        (5, 3, 0, True),
    ],
)
def test_intervals_from_a_start(
    tmp_path: Path, done: int, n: int, start: int, expected: bool
) -> None:
    runner = FakeRunner(tmp_path, epoch=done, iter=done)
    assert Hook().every_n_epochs(runner, n, start) is expected
    assert Hook().every_n_train_iters(runner, n, start) is expected
