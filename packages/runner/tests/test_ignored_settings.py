"""What a run would ignore in silence is named at its start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eng.hooks import Hook
from eng.runner import Runner


class OlderHook(Hook):
    def before_epoch(self, runner: Any) -> None: ...

    def after_iter(self, runner: Any) -> None: ...


class CallingHook(OlderHook):
    def before_train_epoch(self, runner: Any) -> None:
        self.before_epoch(runner)

    def after_train_iter(self, *args: Any, **kwargs: Any) -> None:
        self.after_iter(args[0])


def train(job: dict[str, Any], **settings: Any) -> str:
    runner = Runner.from_cfg({**job, **settings})
    runner.train()
    return "".join(path.read_text() for path in Path(runner.log_dir).glob("*.log"))


def test_stages_of_mmcv_are_named(job: dict[str, Any]) -> None:
    log = train(job, custom_hooks=[OlderHook()])
    assert "OlderHook.before_epoch is a stage of MMCV 1.x, which nothing calls" in log
    assert "name it after_train_iter, after_val_iter, after_test_iter, or _after_iter" in log


def test_stages_of_mmcv_that_a_hook_calls_itself_are_not(job: dict[str, Any]) -> None:
    assert "MMCV" not in train(job, custom_hooks=[CallingHook()])


@pytest.mark.parametrize(
    ("scheduler", "is_named"),
    [
        ({"type": "StepLR", "step_size": 1}, True),
        ({"type": "CosineAnnealingLR", "by": "epoch"}, True),
        ({"type": "StepLR", "step_size": 1, "by_epoch": False}, False),
        ({"type": "MultiStepLR", "milestones": [1], "convert_to_iter_based": True}, False),
        ({"type": "ReduceOnPlateauLR", "monitor": "line/loss"}, False),
    ],
)
def test_schedules_of_epochs_in_a_run_by_iterations_are_named(
    job: dict[str, Any], scheduler: dict[str, Any], is_named: bool
) -> None:
    log = train(job, train_cfg={"by_epoch": False, "max_iters": 4}, param_scheduler=scheduler)
    assert ("changes nothing. Set by_epoch=False" in log) == is_named


def test_schedules_of_epochs_in_a_run_by_epochs_are_not(job: dict[str, Any]) -> None:
    assert "changes nothing" not in train(job, param_scheduler={"type": "StepLR", "step_size": 1})
