"""``eng list``."""

from __future__ import annotations

import re
import subprocess
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
    # Columns are as wide as the hooks of all tests need.
    rows = [re.split(" {2,}", line) for line in capsys.readouterr().out.splitlines()]
    assert ["HookOfAListTest", module, "Does what a test asks for."] in rows
    assert ["EMAHook", "eng-hooks"] in [row[:2] for row in rows]
    assert main(["list", "schedulers"]) == 0
    assert "CosineAnnealingLR " in capsys.readouterr().out


def test_a_name_is_explained(capsys: pytest.CaptureFixture[str], module: str) -> None:
    assert main(["list", "--why", "HookOfAListTest", "--import", module]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"HookOfAListTest of hooks: {module}.HookOfAListTest"
    assert lines[1].endswith(f"{module}.py:4")
    assert lines[2:] == ["  arguments: (often=3, *, name=None)", "  Does what a test asks for."]
    assert main(["list", "--why", f"{module}.HookOfAListTest"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        lines[0].replace("Hook", f"{module}.Hook", 1),
        *lines[1:],
    ]
    assert main(["list", "--why", "torch.nn.Identity"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "torch.nn.Identity: torch.nn.modules.linear.Identity"
    assert [line for line in lines if not line.startswith(" ")] == lines[:1]
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


def listed(capsys: pytest.CaptureFixture[str], kind: str) -> dict[str, str]:
    assert main(["list", kind]) == 0
    return {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}


def test_commands_functions_and_settings_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    commands = listed(capsys, "commands")
    known = {"train", "lr-find", "batch-find", "batch", "plot", "diff", "history"}
    assert known <= set(commands)
    assert "eng-vis" in commands["plot"]
    assert not any("cannot be imported" in line for line in commands.values())
    functions = listed(capsys, "functions")
    assert {"find_learning_rate", "find_batch_size", "rebuild_batch"} <= set(functions)
    assert "eng-checkpoint" in functions["average_weights"]
    assert not any("cannot be imported" in line for line in functions.values())
    assert all(len(line.split()) > 3 for line in functions.values())  # with a summary
    assert {"on_oom", "nan_loss", "val_cfg.loss"} <= set(listed(capsys, "settings"))


def test_a_command_a_function_and_a_setting_are_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["list", "--why", "lr-find"]) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == "lr-find of commands: eng.runner.lr_find_command:LR_FIND (eng-runner)"
    assert last == "  eng lr-find --help shows its arguments"
    assert main(["list", "functions", "--why", "find_learning_rate"]) == 0
    assert "  arguments: (runner" in capsys.readouterr().out
    assert main(["list", "--why", "on_oom"]) == 0
    assert capsys.readouterr().out.startswith("on_oom of settings: in the config of a run")
    assert main(["list", "--why", "lr-fnd"]) == 2
    assert "closest names: lr-find (commands)" in capsys.readouterr().err


def test_commands_are_listed_without_torch() -> None:
    program = (
        "import sys\nfrom eng.cli import main\nassert main(['list', 'commands']) == 0\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
