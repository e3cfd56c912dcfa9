"""What the message hub is told."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

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
