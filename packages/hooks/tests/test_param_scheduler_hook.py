"""Schedules step by their own clock."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import pytest
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


@pytest.mark.parametrize("schedulers", ["x", {"a": SimpleNamespace()}, SimpleNamespace()])
def test_schedulers_that_are_no_list_are_named(tmp_path: Path, schedulers: Any) -> None:
    with pytest.raises(TypeError, match="param_schedulers must be a list of schedulers"):
        ParamSchedulerHook().after_train_epoch(FakeRunner(tmp_path, param_schedulers=schedulers))
