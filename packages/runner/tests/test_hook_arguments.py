"""Arguments of hooks are held against their signatures when hooks are registered."""

from __future__ import annotations

from typing import Any

import pytest

from eng.hooks import CheckpointHook, EMAHook, LoggerHook
from eng.registry import HOOKS
from eng.runner import Runner


@HOOKS.register_module(force=True)
class HookWithAnything(LoggerHook):
    """Takes what it does not name, as people's hooks do."""

    def __init__(self, **kwargs: Any) -> None:
        self.mine = kwargs.pop("mine", None)
        super().__init__(**kwargs)


@HOOKS.register_module(force=True)
class HookThatSaves(CheckpointHook):
    def __init__(self, *args: Any, mine: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mine = mine


def hooks(**settings: dict[str, Any]) -> dict[str, Any]:
    return {"default_hooks": settings}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (hooks(checkpoint={"type": "CheckpointHook", "intervall": 1}), "mean 'interval'"),
        (hooks(checkpoint={"type": "CheckpointHook", "max_keep_ckpt": 1}), "mean 'max_keep_ckpts'"),
        (hooks(checkpoint={"type": "CheckpointHook", "meta": {}}), "unexpected argument 'meta'"),
        (hooks(checkpoint={"type": "CheckpointHook", "filename": "x"}), "mean 'filename_tmpl'"),
        (hooks(checkpoint={"type": "HookThatSaves", "intervl": 1}), "mean 'interval'"),
        (hooks(checkpoint={"type": "CheckpointHook", "interval": 0}), "interval must be"),
        (hooks(checkpoint={"type": "CheckpointHook", "interval": -2}), "interval must be"),
        (hooks(logger={"type": "LoggerHook", "intervals": 1}), "mean 'interval'"),
        (hooks(logger={"type": "eng.hooks.LoggerHook", "zzz": 1}), "it takes interval"),
        (hooks(timer={"type": "IterTimerHook", "interval": 1}), "unexpected argument 'interval'"),
        ({"custom_hooks": [{"type": "EMAHook", "momentm": 0.1}]}, "mean 'momentum'"),
        ({"custom_hooks": [{"type": "EMAHook", "begin_epochs": 1}]}, "mean 'begin_epoch'"),
        ({"custom_hooks": [{"type": "HookWithAnything", "intervall": 1}]}, "intervall"),
        ({"custom_hooks": [EMAHook(momentm=0.1)]}, "mean 'momentum'"),
        ({"custom_hooks": [CheckpointHook(intervall=1)]}, "mean 'interval'"),
        ({"custom_hooks": [EMAHook]}, r"not a class: write EMAHook\(\)"),
    ],
)
def test_a_wrong_argument_is_refused_when_registered(
    job: dict[str, Any], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Runner.from_cfg({**job, **settings})


def test_right_arguments_are_taken(job: dict[str, Any]) -> None:
    class Saving(Runner):
        def save_checkpoint(self, *args: Any, mark: int = 0, **kwargs: Any) -> None:
            super().save_checkpoint(*args, **kwargs)

    job["train_cfg"]["max_epochs"] = 1
    job["default_hooks"] = {"checkpoint": {"type": "HookThatSaves", "interval": 1, "mine": 2}}
    job["custom_hooks"] = [
        {"type": "HookWithAnything", "mine": 3, "interval": 5, "priority": "LOW"},
        {"type": "EMAHook", "ema_type": "MomentumAnnealingEMA", "gamma": 10, "_scope_": "eng"},
        {"type": "CheckpointHook", "filename_tmpl": "marked_{}.pth", "mark": 1},
    ]
    assert Saving.from_cfg(job).train() is not None


def test_a_wrong_metric_is_refused_before_training(job: dict[str, Any]) -> None:
    job["default_hooks"] = {"checkpoint": {"type": "CheckpointHook", "save_best": "loss"}}
    runner = Runner.from_cfg(job)
    with pytest.raises(KeyError, match="did you mean 'line/loss'"):
        runner.train()
    assert runner.iter == 0
