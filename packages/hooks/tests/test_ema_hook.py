"""Averaged weights in validation and checkpoints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
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
    with pytest.raises(ValueError, match="not both"):
        EMAHook(begin_iter=1, begin_epoch=1)
