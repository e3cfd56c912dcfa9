"""The environment of the clients, and jobs that run in it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import client_environment
import pytest

HERE = Path(__file__).parent


class Clients:
    """Runs Python where libraries import mmengine and eng answers."""

    def __init__(self, python: Path) -> None:
        self.python = python
        (self.site,) = python.parents[1].glob("lib/python*/site-packages")

    def call(
        self, folder: Path, *words: object, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run Python with these words in a folder; modules beside this file can be imported."""
        removed = {"ENG_MMENGINE", "PYTHONPATH", "VIRTUAL_ENV"}
        env = {name: value for name, value in os.environ.items() if name not in removed}
        # Threads that wait for each other on few processors take longer than none.
        env |= {"PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", **variables}
        return subprocess.run(
            [self.python, *map(str, words)],
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def run(self, folder: Path, *words: object) -> str:
        """What Python with these words says."""
        done = self.call(folder, *words)
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def tool(self, library: str, name: str) -> Path:
        """A script that a library ships, such as `train.py`."""
        return self.site / library / ".mim" / "tools" / name

    def train(self, library: str, config: Path, work_dir: str, *words: object) -> dict[str, str]:
        """Train by the library's script; the loss of each iteration in hexadecimal digits."""
        self.run(config.parent, self.tool(library, "train.py"), config, *_place(work_dir), *words)
        return read_losses(config.parent / work_dir)

    def train_and_kill(self, library: str, config: Path, work_dir: str, after: int) -> None:
        """Train, and end the process with SIGKILL after an iteration, counted from 0."""
        script = self.tool(library, "train.py")
        words = [script, config, *_place(work_dir)]
        done = self.call(config.parent, *words, KILL_AFTER=str(after))
        assert done.returncode == -signal.SIGKILL, done.stdout[-6000:]


def _place(work_dir: str) -> list[str]:
    return ["--work-dir", work_dir]


def read_losses(folder: Path) -> dict[str, str]:
    """The loss of each iteration; where one was done twice, the later."""
    lines = (folder / "losses.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines)


@pytest.fixture(scope="session")
def clients() -> Clients:
    """The environment of the clients, made if it is not there."""
    return Clients(client_environment.create())
