"""The example without a config: it learns, and a resumed run equals an uninterrupted one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

ROOT = Path(__file__).parent.parent
SOURCE = (ROOT / "examples" / "from_python" / "train_digits.py").read_text(encoding="utf-8")


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, epochs: int, resume: bool = False) -> Any:
    """Run the example in a folder, and return its runner."""
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    changed = SOURCE.replace("max_epochs=10", f"max_epochs={epochs}")
    changed = changed.replace("    work_dir=", f"    resume={resume},\n    work_dir=")
    assert changed.count(f"max_epochs={epochs}") == changed.count("resume=") == 1
    torch.manual_seed(0)  # a new process draws the same weights each time
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(changed, "train_digits.py", "exec"), names)
    return names["runner"]


def test_it_has_no_more_than_25_lines() -> None:
    code = [line for line in SOURCE.splitlines() if line and not line.startswith('"""')]
    assert len(code) <= 25


def test_it_learns_and_resumes_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = run(tmp_path / "whole", monkeypatch, 4)
    assert "4 epochs, 92 iterations, trained for 0:00:" in capsys.readouterr().out
    assert whole.summary.best["accuracy"].score > 0.9
    run(tmp_path / "parts", monkeypatch, 2)
    parts = run(tmp_path / "parts", monkeypatch, 4, resume=True)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, parts.model.state_dict()[name])
    assert parts.summary.validations == whole.summary.validations
