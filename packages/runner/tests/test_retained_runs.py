"""Runs that save by the clock and keep the best few are resumed to the bit."""

from __future__ import annotations

import copy
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from eng.hooks import Hook, save_clock
from eng.runner import Runner


class Killed(Exception):
    pass


class KilledAt(Hook):
    priority = "LOWEST"

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def before_train_iter(self, runner: Any, *_: Any, **__: Any) -> None:
        if runner.iter == self.iteration:
            raise Killed


def test_a_run_saved_by_the_clock_inside_an_epoch_is_resumed(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps = count()
    monkeypatch.setattr(save_clock, "monotonic", lambda: 60.0 * next(steps))
    whole = copy.deepcopy(job)
    whole["work_dir"] = str(tmp_path / "whole")
    expected = Runner.from_cfg(whole).train().state_dict()
    hook = {
        "type": "CheckpointHook",
        "save_every_minutes": 4,
        "max_keep_ckpts": 1,
        "save_best": "line/loss",
        "save_top_k": 2,
    }
    job["default_hooks"]["checkpoint"] = hook
    for iteration in (8, 13):
        runner = Runner.from_cfg({**job, "resume": "auto"})
        runner.register_hook(KilledAt(iteration))
        with pytest.raises(Killed):
            runner.train()
        (name,) = [path.name for path in Path(job["work_dir"]).glob("iter_*.pth")]
        assert 0 < int(name[5:-4]) <= iteration
    model = Runner.from_cfg({**job, "resume": True}).train()
    torch.testing.assert_close(model.state_dict(), expected, rtol=0, atol=0)
    assert len(list(Path(job["work_dir"]).glob("best_*.pth"))) == 2


def test_a_run_that_saves_by_the_clock_alone_is_not_warned_of(
    job: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    hook = {"type": "CheckpointHook", "save_every_minutes": 30, "save_last": False}
    job["default_hooks"]["checkpoint"] = hook
    runner = Runner.from_cfg(job)
    runner.train()
    text = Path(runner.log_dir, f"{runner.timestamp}.log").read_text()
    assert "saves no checkpoint" not in text
