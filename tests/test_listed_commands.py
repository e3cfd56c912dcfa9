"""`eng list commands` has the commands of all packages."""

from __future__ import annotations

import pytest

from eng.cli import main


def test_every_command_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "commands"]) == 0
    shown = capsys.readouterr().out
    listed = {line.split()[0] for line in shown.splitlines() if line.strip()}
    assert {"config", "train", "test", "plot", "predict", "export", "checkpoint"} <= listed
    assert "migrate" in listed
    assert "cannot be imported" not in shown
