"""``eng init`` and ``eng env``."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from eng.cli import main
from eng.config import Config
from eng.runner import Runner


@pytest.mark.parametrize(
    ("folder", "module"),
    [("my-rings", "my_rings"), ("3d", "project"), ("numpy", "project"), ("Random", "project")],
)
def test_a_project_is_named_by_its_folder(tmp_path: Path, folder: str, module: str) -> None:
    assert main(["init", str(tmp_path / folder)]) == 0
    assert {path.name for path in (tmp_path / folder).iterdir()} == {
        "README.md",
        "config.py",
        f"{module}.py",
        f"test_{module}.py",
    }
    assert f'imports=["{module}"]' in (tmp_path / folder / "config.py").read_text()


@pytest.mark.parametrize("name", ["torch", "logging"])
def test_a_project_does_not_hide_an_installed_module(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["init", str(tmp_path / "rings"), "--name", name]) == 2
    assert f"--name {name}: a module of that name is installed" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_option_that_a_project_names_is_of_what_the_run_reads(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "rings")]) == 0
    text = (tmp_path / "rings" / "config.py").read_text()
    key, _, value = text.split("--cfg-options ")[1].split()[0].partition("=")
    assert key.partition(".")[0] in inspect.signature(Runner).parameters
    cfg = Config.fromfile(str(tmp_path / "rings" / "config.py"), import_custom_modules=False)
    before = cfg.model.width
    cfg.merge_from_dict({key: int(value)})
    assert cfg.model.width == int(value) != before


@pytest.mark.slow
def test_the_test_of_a_project_trains_it(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "rings")]) == 0
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    done = subprocess.run(tests, cwd=tmp_path / "rings", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_project_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text("x = 1\n")
    assert main(["init", str(tmp_path)]) == 2
    assert main(["init", str(tmp_path / "mine.py")]) == 2
    assert main(["init", str(tmp_path / "new"), "--name", "a-b"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [
        line.count(" already exists and is not empty; choose a new folder") for line in said
    ] == [
        1,
        1,
        0,
    ]
    assert "--name must be an identifier other than config and test, not 'a-b'" in said[2]
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
