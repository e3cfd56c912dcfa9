"""The example of a loop without the Runner, as its README runs it."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parent.parent / "examples" / "plain_loop" / "train.py"
Train = Callable[..., list[float]]


@pytest.fixture(scope="module")
def train() -> Iterator[Train]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield runpy.run_path(str(SCRIPT))["train"]
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def whole(train: Train, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    return train(str(tmp_path_factory.mktemp("whole")))


def test_it_learns(whole: list[float]) -> None:
    assert len(whole) == 20
    assert whole[0] > 0.5
    assert whole[-1] < 0.1


def test_a_resumed_run_has_the_losses_of_a_whole_one(
    train: Train, whole: list[float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(str(tmp_path), 7) == whole[:7]
    assert "resumed" not in capsys.readouterr().out
    assert train(str(tmp_path)) == whole
    assert "resumed from epoch 7" in capsys.readouterr().out
    assert json.loads((tmp_path / "losses.json").read_text()) == {"losses": whole}


def test_any_storage_will_do(train: Train, whole: list[float]) -> None:
    assert train("memory://plain_loop", 2) == whole[:2]
    assert train("memory://plain_loop", 3) == whole[:3]


def test_the_script_needs_no_more_of_the_engine_than_its_readme_installs(tmp_path: Path) -> None:
    code = (
        f"import runpy, sys; sys.argv[1:] = ['--epochs', '1', '--work-dir', {str(tmp_path)!r}]\n"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')\n"
        "print(*sorted({name.split('.')[1] for name in sys.modules if name.startswith('eng.')}))"
    )
    command = [sys.executable, "-c", code]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert lines[0].startswith("epoch 1: loss ")
    used = set(lines[-1].split())
    assert {"checkpoint", "fileio", "optim"} <= used
    assert not {"config", "dataset", "evaluator", "hooks", "model", "runner", "vis"} & used
