"""Schedules step by their own clock."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.hooks import (
    ParamSchedulerHook,
)


def test_schedulers_step_by_their_own_clock(tmp_path: Path) -> None:
    steps = []
    make = lambda by_epoch: SimpleNamespace(  # noqa: E731
        by_epoch=by_epoch, step=lambda: steps.append(by_epoch)
    )
    runner = FakeRunner(tmp_path, param_schedulers={"a": [make(True)], "b": [make(False)]})
    hook = ParamSchedulerHook()
    hook.after_train_iter(runner, 0)
    assert steps == [False]
    hook.after_train_epoch(runner)
    assert steps == [False, True]
