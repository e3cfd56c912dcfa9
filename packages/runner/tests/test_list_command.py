"""``eng list``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from eng.cli import main

MODULE = '''
from eng.registry import HOOKS

@HOOKS.register_module(force=True)
class HookOfAListTest:
    """Does what a test asks for.

    More about it.
    """

    def __init__(self, often: int = 3, *, name=None):
        pass
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "eng_listed_by_a_test.py").write_text(MODULE)
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    return "eng_listed_by_a_test"


def test_kinds_and_names_are_listed(capsys: pytest.CaptureFixture[str], module: str) -> None:
    assert main(["list"]) == 0
    counts = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert int(counts["hooks"]) >= 14
    assert int(counts["param-schedulers"]) >= 20
    assert main(["list", "hooks", "--import", module]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "  eng-hooks " in rows["EMAHook"]
    assert rows["HookOfAListTest"].endswith(f"  {module}  Does what a test asks for.")
    assert main(["list", "schedulers"]) == 0
    assert "CosineAnnealingLR " in capsys.readouterr().out


def test_a_name_is_explained(capsys: pytest.CaptureFixture[str], module: str) -> None:
    assert main(["list", "--why", "HookOfAListTest", "--import", module]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"HookOfAListTest of hooks: {module}.HookOfAListTest"
    assert lines[1].endswith(f"{module}.py:4")
    assert lines[2:] == ["  arguments: (often=3, *, name=None)", "  Does what a test asks for."]
    assert main(["list", "optimizers", "--why", "SGD"]) == 0
    assert "torch.optim.sgd.SGD" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hoks"], "unknown kind 'hoks'; did you mean 'hooks'?"),
        (["--why", "EMAHok"], "closest names: EMAHook (hooks)"),
        (["hooks", "--why", "EMAHok"], "Closest names: EMAHook"),
        (["--import", "eng_no_such_module"], "No module named 'eng_no_such_module'"),
    ],
)
def test_what_is_wrong_is_one_line(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["list", *words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
