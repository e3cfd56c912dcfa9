"""Times and the estimate of the end."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.hooks import IterTimerHook


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


class OwnTimer(IterTimerHook):
    """Measures as hooks of downstream libraries do."""

    def _after_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
        mode: str = "train",
    ) -> None:
        runner.message_hub.update_scalar(f"{mode}/time", time.time() - self.t)
        self.t = time.time()


def test_a_timer_of_the_user_measures_from_the_last_iteration(tmp_path: Path) -> None:
    runner, hook = FakeRunner(tmp_path), OwnTimer()
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    for idx in range(2):
        time.sleep(0.01)
        hook.before_train_iter(runner, idx)
        time.sleep(0.02)
        hook.after_train_iter(runner, idx)
    for name, least in (("train/data_time", 0.01), ("train/time", 0.03)):
        both, _ = runner.message_hub.get_scalar(name).data
        assert all(least * 0.9 < each < 20 for each in both)
