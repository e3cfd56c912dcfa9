"""The first iterations of training are profiled."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.hooks import ProfilerHook


def train(hook: ProfilerHook, runner: FakeRunner, iterations: int = 4) -> list[bool]:
    """Whether it is profiled after each iteration."""
    hook.before_run(runner)
    seen = []
    for idx in range(iterations):
        torch.ones(8, 8) @ torch.ones(8, 8)
        hook.after_train_iter(runner, idx)
        seen.append(hook.profiler is not None)
    hook.after_train_epoch(runner)
    seen.append(hook.profiler is not None)
    hook.after_run(runner)
    assert hook.profiler is None
    return seen


@pytest.mark.parametrize(
    ("kwargs", "wanted"),
    [
        ({}, [True] * 4 + [False]),
        ({"by_epoch": False, "profile_times": 2}, [True, False, False, False, False]),
        ({"by_epoch": False, "profile_times": 4}, [True] * 3 + [False] * 2),
        ({"by_epoch": False, "profile_times": 8}, [True] * 5),
    ],
)
def test_it_ends_after_an_epoch_or_iterations(
    tmp_path: Path, kwargs: dict[str, Any], wanted: list[bool]
) -> None:
    path = tmp_path / "trace.json"
    hook = ProfilerHook(json_trace_path=str(path), **kwargs)
    assert train(hook, FakeRunner(tmp_path)) == wanted
    names = {event.get("name") for event in json.loads(path.read_text())["traceEvents"]}
    assert "aten::mm" in names


def test_what_is_done_with_a_recording(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    runner = FakeRunner(tmp_path, log_dir=str(tmp_path / "logs"))
    with caplog.at_level(logging.INFO):
        train(ProfilerHook(on_trace_ready={"type": "log_trace", "row_limit": 3}), runner)
    assert "Self CPU" in caplog.text
    train(ProfilerHook(on_trace_ready={"type": "tb_trace", "dir_name": "here"}), runner)
    assert list((tmp_path / "logs" / "here").iterdir())
    seen: list[Any] = []
    schedule = {"wait": 1, "warmup": 0, "active": 1, "repeat": 2}
    train(ProfilerHook(on_trace_ready=seen.append, schedule=schedule), runner)
    assert len(seen) == 2


def test_a_run_that_trains_nothing_ends_it_too(tmp_path: Path) -> None:
    hook, runner = ProfilerHook(), FakeRunner(tmp_path, max_epochs=None, max_iters=None)
    hook.before_run(runner)
    hook.after_run(runner)
    assert hook.profiler is None


@pytest.mark.parametrize(
    ("kwargs", "kind"),
    [
        ({"profile_times": 0}, ValueError),
        ({"profile_times": 2}, ValueError),
        ({"by_epoch": 1}, AssertionError),
        ({"schedule": 3}, AssertionError),
        ({"on_trace_ready": {"type": "other"}}, ValueError),
        ({"on_trace_ready": 3}, ValueError),
        ({"record_shapes": None}, AssertionError),
    ],
)
def test_settings_that_cannot_be_right_are_refused(
    kwargs: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind, match="ProfilerHook"):
        ProfilerHook(**kwargs)


def test_more_than_the_run_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="9, the run has 8 iterations"):
        ProfilerHook(by_epoch=False, profile_times=9).before_run(FakeRunner(tmp_path))
