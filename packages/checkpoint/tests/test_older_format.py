"""`eng checkpoint convert --to mmengine` writes what MMEngine reads, and says what is lost."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from eng.checkpoint import CheckpointLoader, load_checkpoint, save_checkpoint
from eng.cli.main import main
from eng.logging import MessageHub


def state_of_optimizer() -> dict[str, Any]:
    weight = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([weight])
    weight.sum().backward()
    optimizer.step()
    return {**optimizer.state_dict(), "type": "Adam"}


def checkpoint() -> dict[str, Any]:
    hub = MessageHub("older_format")
    hub.update_scalar("train/loss", 1.5)
    hub.update_info("epoch", 2)
    schedule = {"milestones": [1], "end": 3, "last_step": 2, "_last_value": [0.1], "best": 0.5}
    return {
        "meta": {"epoch": 3, "iter": 12, "cfg": "a = 1", "mmengine_version": "0.10.7"},
        "state_dict": nn.Linear(2, 1).state_dict(),
        "ema_state_dict": OrderedDict(steps=torch.tensor(3)),
        "message_hub": hub.state_dict(),
        "optimizer": state_of_optimizer(),
        "param_schedulers": [schedule],
        "train_state": {"random": [torch.ones(3)]},
        "other": 1,
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_checkpoint(checkpoint(), str(tmp_path / "epoch_3.pth"))
    return tmp_path / "epoch_3.pth"


def test_converting(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checkpoint", "convert", "--to", "mmengine", str(file)]) == 0
    out = file.with_name("epoch_3_mmengine.pth")
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"{out}: meta, state_dict")
    assert [line.split(" ")[:2] for line in said[1:]] == [
        ["lost:", "random"],
        ["lost:", "1"],
        ["lost:", "the"],
    ]
    assert "'other'" in said[3]

    found = torch.load(out, weights_only=True)
    before = torch.load(file, weights_only=True)
    assert set(found) == set(before) - {"train_state", "other"}
    assert found["meta"] == before["meta"]
    assert found["message_hub"]["log_scalars"] == {}
    assert found["message_hub"]["runtime_info"]["epoch"] == 2
    assert set(found["message_hub"]["resumed_keys"]) == {"epoch"}
    assert found["param_schedulers"] == [{"last_step": 2, "_last_value": [0.1], "best": 0.5}]
    assert set(found["optimizer"]) == {"state", "param_groups"}
    torch.optim.Adam([nn.Parameter(torch.ones(2))]).load_state_dict(found["optimizer"])
    model = nn.Linear(2, 1)
    load_checkpoint(model, str(out), strict=True)
    assert torch.equal(model.weight, before["state_dict"]["weight"])


def test_several_optimizers(tmp_path: Path) -> None:
    many = checkpoint()
    many["optimizer"] = {"a": state_of_optimizer(), "b": state_of_optimizer()}
    many["param_schedulers"] = {
        "a": [{"last_step": 1, "gamma": 0.1}],
        "b": [{"last_step": 2, "by_optimizer_step": True}],
    }
    path, out = str(tmp_path / "many.pth"), str(tmp_path / "out.pth")
    save_checkpoint(many, path)
    assert main(["checkpoint", "convert", path, "--to", "mmengine", "--out", out]) == 0
    found = CheckpointLoader.load_checkpoint(out)
    assert [set(state) for state in found["optimizer"].values()] == [{"state", "param_groups"}] * 2
    assert found["param_schedulers"] == {"a": [{"last_step": 1}], "b": [{"last_step": 2}]}


def test_files_that_cannot_be_converted(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["checkpoint", "convert", "--to", "mmengine"]
    assert main([*words, str(file), "--out", str(file)]) == 2
    assert "already exists; choose another file with --out" in capsys.readouterr().err
    assert main([*words, str(tmp_path / "none.pth")]) == 2
    for content in ({"meta": {}}, [1], {"state_dict": 3}):
        torch.save(content, tmp_path / "bad.pth")
        assert main([*words, str(tmp_path / "bad.pth")]) == 2
        message = capsys.readouterr().err
        reason = "expected a dict, not list" if content == [1] else "no state_dict found"
        assert f"bad.pth is not a checkpoint of a run: {reason}" in message
    assert not (tmp_path / "bad_mmengine.pth").exists()


def test_the_command_is_known_without_torch() -> None:
    code = (
        "import sys; from eng.checkpoint.commands import CHECKPOINT; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
