"""``eng init`` and ``eng env``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from eng.cli import main


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "module"), [("my-rings", "my_rings"), ("3d", "project")])
def test_a_project_trains_and_passes_its_test(tmp_path: Path, folder: str, module: str) -> None:
    assert main(["init", str(tmp_path / folder)]) == 0
    project = tmp_path / folder
    assert {path.name for path in project.iterdir()} == {
        "README.md",
        "config.py",
        f"{module}.py",
        f"test_{module}.py",
    }
    command = [sys.executable, "-m", "eng.cli", "train", "config.py", "--cfg-options"]
    done = subprocess.run(
        [*command, "train_cfg.max_epochs=2"], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (project / "runs/config/epoch_2.pth").exists()
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    done = subprocess.run(tests, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_project_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text("x = 1\n")
    assert main(["init", str(tmp_path)]) == 2
    assert main(["init", str(tmp_path / "mine.py")]) == 2
    assert main(["init", str(tmp_path / "new"), "--name", "a-b"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.count(" exists already and is not empty; name a new folder") for line in said] == [
        1,
        1,
        0,
    ]
    assert "--name must be a name that Python can import, not 'a-b'" in said[2]
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_a_project_is_written_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from eng.cli import main; "
        f"main(['init', {str(tmp_path / 'new')!r}]); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_environment_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env"]) == 0
    text = capsys.readouterr().out
    for word in ("eng-runner ", "Python: ", "PyTorch: ", "CUDA available: "):
        assert f"\n{word}" in text
