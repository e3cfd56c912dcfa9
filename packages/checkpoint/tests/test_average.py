"""``eng checkpoint average``."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from eng.checkpoint import CheckpointLoader, save_checkpoint
from eng.cli import main


def save(path: Path, number: float, count: int = 0, **more: torch.Tensor) -> None:
    weight = torch.full((2, 3), number, dtype=torch.bfloat16)
    tied = torch.full((2,), number, dtype=torch.float64)
    state = {"w": weight, "a": tied, "b": tied, "count": torch.tensor(count), **more}
    save_checkpoint({"meta": {"epoch": count}, "state_dict": state}, str(path))


def test_the_newest_of_a_work_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for epoch in (2, 9, 10, 11):
        save(tmp_path / f"epoch_{epoch}.pth", epoch, epoch)
    save(tmp_path / "best_acc_epoch_3.pth", 100)
    out = str(tmp_path / "soup.pth")
    assert main(["checkpoint", "average", str(tmp_path), "--last", "3", "--out", out]) == 0
    shown = capsys.readouterr().out
    assert "epoch_9.pth" in shown
    assert "epoch_2.pth" not in shown
    weights = CheckpointLoader.load_checkpoint(out)["state_dict"]
    assert weights["w"].dtype == torch.bfloat16
    for name in ("w", "a", "b"):
        assert (weights[name] == 10).all()
    assert weights["count"] == 11


def test_a_mean_is_exact_to_rounding(tmp_path: Path) -> None:
    torch.manual_seed(0)
    values = [torch.randn(50) for _ in range(7)]
    files = [str(tmp_path / f"{i}.pth") for i in range(7)]
    for file, value in zip(files, values, strict=True):
        save_checkpoint({"w": value}, file)
    out = str(tmp_path / "out.pth")
    assert main(["checkpoint", "average", *files, "--out", out]) == 0
    expected = torch.stack(values).double().mean(0).float()
    assert torch.equal(CheckpointLoader.load_checkpoint(out)["state_dict"]["w"], expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.pth"], "needs at least two checkpoints, not 1"),
        (["a.pth", "more.pth"], "'extra' is in one of them alone"),
        (["a.pth", "shape.pth"], r"'w' has the shape (5,) in shape.pth and (2, 3) in a.pth"),
        (["a.pth", "a.pth", "--last", "2"], "--last needs one work directory"),
        ([".", "--last", "0"], "--last must be at least 2, not 0"),
        ([".", "--last", "-1"], "--last must be at least 2, not -1"),
        ([".", "--last", "5"], "has 1 checkpoints named by their epoch or iteration, not 5"),
    ],
)
def test_what_cannot_be_averaged(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    save(Path("a.pth"), 1)
    save(Path("epoch_1.pth"), 1)
    save(Path("more.pth"), 1, extra=torch.ones(1))
    save(Path("shape.pth"), 1, w=torch.ones(5))
    assert main(["checkpoint", "average", *arguments, "--out", "out.pth"]) != 0
    assert message in capsys.readouterr().err
    assert not Path("out.pth").exists()
