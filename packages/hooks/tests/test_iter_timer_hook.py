"""Times and the estimate of the end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.hooks import (
    IterTimerHook,
)


def test_timer_records_times_and_an_estimate(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path)
    hook = IterTimerHook()
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    hook.before_train_iter(runner, 0)
    hook.after_train_iter(runner, 0)
    took = float(runner.message_hub.get_scalar("train/time").current())
    assert runner.message_hub.get_info("eta") == pytest.approx(took * 7)


def test_attributes_that_people_read(tmp_path: Path) -> None:
    runner, hook = FakeRunner(tmp_path, iter=3), IterTimerHook()
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    hook.before_train_iter(runner, 0)
    hook.after_train_iter(runner, 0)
    took = float(runner.message_hub.get_scalar("train/time").current())
    assert hook.start_iter == 3
    assert hook.time_sec_tot == pytest.approx(took)
    assert hook.time_sec_test_val == 0
