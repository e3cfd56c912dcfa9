"""What the message hub is told."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.hooks import (
    RuntimeInfoHook,
)


def test_runtime_info_keeps_tensors_as_they_are(tmp_path: Path) -> None:
    runner = FakeRunner(
        tmp_path, meta={"seed": 3}, optim_wrapper=SimpleNamespace(get_lr=lambda: {"lr": [0.1, 0.2]})
    )
    hook = RuntimeInfoHook()
    hook.before_run(runner)
    hook.before_train_iter(runner, 0)
    hook.after_train_iter(runner, 0, outputs={"loss": torch.tensor(2.0)})
    hook.after_val_epoch(runner, {"acc": 0.5, "report": "fine"})
    hub = runner.message_hub
    assert hub.get_info("seed") == 3
    assert hub.get_scalar("train/lr").current() == 0.1
    assert hub.get_scalar("train/loss").current() == 2.0
    assert hub.get_scalar("val/acc").current() == 0.5
    assert hub.get_info("val/report") == "fine"


def test_the_stage_of_the_loop_is_that_of_the_innermost_one(tmp_path: Path) -> None:
    runner = FakeRunner(
        tmp_path, train_dataloader=SimpleNamespace(dataset=[]), train_loop=SimpleNamespace()
    )
    hook, seen = RuntimeInfoHook(), []
    for stage in ("before_val", "after_val", "before_train", "before_val", "after_val"):
        getattr(hook, stage)(runner)
        seen.append(runner.message_hub.runtime_info.get("loop_stage"))
    hook.after_train(runner)
    seen.append(runner.message_hub.runtime_info.get("loop_stage"))
    hook.before_test(runner)
    hook.after_test(runner)
    seen.append(runner.message_hub.runtime_info.get("loop_stage"))
    assert seen == ["val", None, "train", "val", "train", None, None]


def test_rates_that_are_no_dict_are_named(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path, optim_wrapper=SimpleNamespace(get_lr=lambda: [0.1]))
    with pytest.raises(
        RuntimeError, match="must return a dict of learning rates by name, not list"
    ):
        RuntimeInfoHook().before_train_iter(runner, 0)
