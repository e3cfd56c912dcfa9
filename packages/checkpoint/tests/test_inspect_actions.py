"""``eng checkpoint show``, ``export`` and ``diff``, and weights in safetensors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from eng.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from eng.cli import main

pytest.importorskip("safetensors")


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2, dtype=torch.float64))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.chdir(tmp_path)
    checkpoint = {
        "meta": {"epoch": 3, "iter": 120, "seed": 0, "cfg": "lr = 0.1\nmodel = 'x'\n"},
        "state_dict": net().state_dict(),
        "optimizer": {"state": {0: {"momentum": torch.ones(5)}}, "param_groups": [{"lr": 0.1}]},
        "message_hub": {"a": 1},
        "note": "short",
    }
    save_checkpoint(checkpoint, "run.pth")
    return checkpoint


def test_what_is_inside_is_shown(
    run: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["checkpoint", "show", "run.pth"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "run.pth",
        "epoch: 3",
        "iteration: 120",
        "seed: 0",
        "config: 3 lines (print it with --config)",
        "state_dict: 9 tensors, 43 numbers, 216 B (float32, float64, int64)",
        "  0: 2 tensors, 16 numbers, 64 B (float32)",
        "  1: 5 tensors, 17 numbers, 72 B (float32, int64)",
        "  2: 2 tensors, 10 numbers, 80 B (float64)",
        "optimizer: 1 tensor, 5 numbers, 20 B (float32)",
        "message_hub: 1 entry",
        "note: 'short'",
    ]
    assert main(["checkpoint", "show", "run.pth", "--config"]) == 0
    assert capsys.readouterr().out == "lr = 0.1\nmodel = 'x'\n\n"
    assert main(["checkpoint", "show", "run.pth", "--tensors"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9
    assert lines[0].split() == ["0.weight", "[4,", "3]", "float32", "48", "B"]


@pytest.mark.parametrize("to", ["safetensors", "pth"])
def test_exported_weights_are_loaded(
    run: dict[str, object], to: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["checkpoint", "export", "run.pth", "--to", to, "--out", f"weights.{to}"]) == 0
    assert capsys.readouterr().out.startswith(f"weights.{to} (")
    model = net()
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    load_checkpoint(model, f"weights.{to}", map_location="cpu", strict=True)
    for name, tensor in net().state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor)
    assert main(["checkpoint", "diff", "run.pth", f"weights.{to}"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "9 tensors are equal"
    assert main(["checkpoint", "export", "run.pth", "--to", to, "--out", f"weights.{to}"]) == 2
    assert "already exists" in capsys.readouterr().err


def test_tensors_that_share_memory_are_exported(tmp_path: Path) -> None:
    path = str(tmp_path / "tied.pth")
    weight = torch.arange(6.0)
    save_checkpoint({"a": weight, "b": weight[2:4], "c": weight.view(2, 3).t()}, path)
    assert main(["checkpoint", "export", path, "--to", "safetensors"]) == 0
    assert main(["checkpoint", "diff", path, str(tmp_path / "tied.safetensors")]) == 0


def test_differences_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = {"same": torch.ones(2), "gone": torch.ones(1), "shape": torch.ones(2, 3)}
    right = {"same": torch.ones(2), "new": torch.ones(1), "shape": torch.ones(3, 2)}
    for name, values in {"near": [0.0, 0.25], "far": [0.0, -3.0], "nan": [0.0, torch.nan]}.items():
        left[name], right[name] = (torch.tensor([value, torch.nan]) for value in values)
    files = [str(tmp_path / name) for name in ("a.pth", "b.pth")]
    for file, state in zip(files, (left, right), strict=True):
        save_checkpoint({"state_dict": state}, file)
    assert main(["checkpoint", "diff", *files]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "1 tensor is equal",
        "only in the first (1):",
        "  gone",
        "only in the second (1):",
        "  new",
        "shape or type differs (1):",
        "  shape: [2, 3] float32 and [3, 2] float32",
        "values differ by at most (3):",
        "  nan: nan",
        "  far: 3",
        "  near: 0.25",
    ]
    assert main(["checkpoint", "diff", *files, "--most", "1"]) == 1
    assert "  … 2 more" in capsys.readouterr().out


@pytest.mark.parametrize("action", ["show", "export"])
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.pth", None, "no such file"),
        ("x.pth", b"abc", "is not a checkpoint written by torch.save"),
        ("x.safetensors", b"abc", "is not a safetensors file, or is corrupt"),
        ("x.safetensors", b"\x10" + bytes(7) + b"0123456789abcdef", "is not a safetensors file"),
    ],
)
def test_bad_files_are_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    action: str,
    name: str,
    content: bytes | None,
    said: str,
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    options = ["--to", "pth"] if action == "export" else []
    assert main(["checkpoint", action, str(file), *options]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
    assert str(file) in error


def test_a_checkpoint_without_weights_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "x.pth")
    save_checkpoint({"meta": {}}, path)
    assert main(["checkpoint", "export", path, "--to", "pth"]) == 2
    assert "no state_dict found" in capsys.readouterr().err
    assert main(["checkpoint", "show", path]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert main(["checkpoint", "show", path, "--config"]) == 2
    assert "no config found in" in capsys.readouterr().err


def test_places_of_loaded_tensors_are_chosen(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = str(tmp_path / "w.safetensors")
    save_file({"weight": torch.ones(2, 2), "bias": torch.zeros(2)}, path)
    for place in (None, "cpu", torch.device("cpu"), lambda storage, _: storage):
        layer = nn.Linear(2, 2)
        load_checkpoint(layer, path, map_location=place, strict=True)
        assert layer.weight.sum() == 4
    with pytest.raises(CheckpointError, match="size mismatch"):
        load_checkpoint(nn.Linear(3, 2), path, strict=True)
