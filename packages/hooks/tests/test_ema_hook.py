"""Averaged weights in validation and checkpoints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.hooks import (
    EMAHook,
)


def test_ema_validates_and_saves_the_average(tmp_path: Path) -> None:
    model = nn.Linear(2, 1, bias=False)
    runner = FakeRunner(tmp_path, model=model)
    hook = EMAHook(momentum=0.5)
    hook.before_run(runner)
    nn.init.constant_(model.weight, 1.0)
    hook.after_train_iter(runner, 0)
    nn.init.constant_(model.weight, 3.0)
    hook.after_train_iter(runner, 1)
    hook.before_val_epoch(runner)
    assert model.weight.tolist() == [[2.0, 2.0]]
    hook.after_val_epoch(runner)
    assert model.weight.tolist() == [[3.0, 3.0]]
    checkpoint: dict[str, Any] = {"state_dict": dict(model.state_dict())}
    hook.before_save_checkpoint(runner, checkpoint)
    assert checkpoint["state_dict"]["weight"].tolist() == [[2.0, 2.0]]
    assert checkpoint["ema_state_dict"]["module.weight"].tolist() == [[3.0, 3.0]]

    other = FakeRunner(tmp_path, model=nn.Linear(2, 1, bias=False), is_resuming=True)
    fresh = EMAHook(momentum=0.5)
    fresh.before_run(other)
    fresh.after_load_checkpoint(other, checkpoint)
    assert checkpoint["state_dict"]["weight"].tolist() == [[3.0, 3.0]]
    assert fresh.ema_model.module.weight.tolist() == [[2.0, 2.0]]


def test_a_second_average_is_refused(tmp_path: Path) -> None:
    class Beside(EMAHook):
        """Saves its average under a key of its own."""

        def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
            checkpoint["beside"] = {}

    runner = FakeRunner(tmp_path, model=nn.Linear(2, 1, bias=False))
    runner.hooks = [EMAHook(), Beside()]
    runner.hooks[0].before_run(runner)
    runner.hooks = [EMAHook(), EMAHook(momentum=0.5)]
    with pytest.raises(ValueError, match="two EMAHooks"):
        runner.hooks[1].before_run(runner)


def test_weights_of_training_come_back_where_an_evaluation_failed(tmp_path: Path) -> None:
    model = nn.Linear(1, 1, bias=False)
    runner = FakeRunner(tmp_path, model=model)
    hook = EMAHook(momentum=0.5)
    hook.before_run(runner)
    hook.ema_model.module.weight.data.fill_(2.0)
    nn.init.constant_(model.weight, 4.0)
    hook.before_test_epoch(runner)
    hook.after_interrupted_test(runner)
    hook.after_interrupted_val(runner)
    assert model.weight.item() == 4.0
    # A loop of somebody else's may not say that it failed.
    hook.before_test_epoch(runner)
    hook.before_val_epoch(runner)
    assert model.weight.item() == 2.0
    hook.before_train(runner)
    assert (model.weight.item(), hook.ema_model.module.weight.item()) == (4.0, 2.0)


def test_ema_begins_late(tmp_path: Path) -> None:
    model = nn.Linear(1, 1, bias=False)
    runner = FakeRunner(tmp_path, model=model)
    hook = EMAHook(momentum=0.5, begin_iter=3)
    hook.before_run(runner)
    nn.init.constant_(model.weight, 4.0)
    hook.after_train_iter(runner, 0)
    assert hook.ema_model.module.weight.item() == 4.0
    with pytest.raises(ValueError, match="begin_iter=9"):
        EMAHook(begin_iter=9).before_train(runner)
    for kind in (ValueError, AssertionError):
        with pytest.raises(kind, match="cannot be set together"):
            EMAHook(begin_iter=1, begin_epoch=1)
        with pytest.raises(kind, match="begin_iter and begin_epoch must be at least 0"):
            EMAHook(begin_iter=-1)


def test_the_names_that_subclasses_call(tmp_path: Path) -> None:
    called: list[str] = []

    class Own(EMAHook):
        def _swap_ema_parameters(self) -> None:
            called.append("parameters")
            super()._swap_ema_parameters()

        def _swap_ema_state_dict(self, checkpoint: dict[str, Any]) -> None:  # type: ignore[override]
            called.append("state")
            super()._swap_ema_state_dict(checkpoint)

        def _ema_started(self, runner: Any) -> bool:
            called.append("started")
            return super()._ema_started(runner)

    model = nn.Linear(1, 1)
    runner, hook = FakeRunner(tmp_path, model=model), Own()
    hook.before_run(runner)
    hook.after_train_iter(runner, 0)
    hook.before_val_epoch(runner)
    hook.after_val_epoch(runner)
    hook.before_save_checkpoint(runner, {"state_dict": dict(model.state_dict())})
    assert called == ["started", "parameters", "parameters", "state"]


def test_another_head_is_loaded_as_far_as_it_fits_but_not_resumed(tmp_path: Path) -> None:
    def model(classes: int) -> nn.Sequential:
        return nn.Sequential(nn.Linear(2, 2), nn.Linear(2, classes))

    trained, hook = model(5), EMAHook()
    saved = {"state_dict": dict(trained.state_dict())}
    runner = FakeRunner(tmp_path, model=model(3))
    hook.before_run(runner)
    hook.after_load_checkpoint(runner, saved)
    assert torch.equal(hook.ema_model.module[0].weight, trained[0].weight)
    runner.is_resuming = True
    with pytest.raises(Exception, match=r"1\.weight"):
        hook.after_load_checkpoint(runner, saved)


def test_an_average_outlives_a_second_run(tmp_path: Path) -> None:
    runner, hook = FakeRunner(tmp_path, model=nn.Linear(1, 1)), EMAHook()
    hook.before_run(runner)
    average = hook.ema_model
    hook.before_run(runner)
    assert hook.ema_model is average
    runner.model = nn.Linear(1, 1)
    hook.before_run(runner)
    assert hook.ema_model is not average
