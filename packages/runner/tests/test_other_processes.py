"""A run is resumed on another number of processes, or with another batch size."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import runner_workers as workers

from eng.dist.testing import run_in_processes
from eng.runner import Runner
from eng.runner.random_state import seed_apart


def test_processes_that_were_not_saved_draw_numbers_of_their_own(tmp_path: Path) -> None:
    job = workers.plane_job(tmp_path)
    job["train_cfg"] = {**job["train_cfg"], "max_epochs": 1}
    Runner.from_cfg(job).train()
    first, second = run_in_processes(workers.draw_after_resume, 2, str(tmp_path), timeout=90)
    assert all(a != b for a, b in zip(first, second, strict=True))


def test_their_numbers_depend_on_seed_iteration_and_rank() -> None:
    def draw(*place: int) -> tuple[float, float, float]:
        seed_apart(*place)
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    assert draw(1, 8, 2) == draw(1, 8, 2)
    others = [draw(2, 8, 2), draw(1, 9, 2), draw(1, 8, 3)]
    assert len({draw(1, 8, 2), *others}) == 4


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"batch_size": 2}, "An update now takes 2 samples instead of 4, at the rates"),
        ({}, None),
    ],
)
def test_another_batch_is_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], text: str | None
) -> None:
    for epochs in (1, 2):
        job = workers.plane_job(tmp_path, resume=epochs == 2)
        job["train_cfg"] = {**job["train_cfg"], "max_epochs": epochs}
        if epochs == 2:
            job["train_dataloader"] = {**job["train_dataloader"], **change}
        Runner.from_cfg(job).train()
    shown = capsys.readouterr().out
    assert ("An update now takes" in shown) == (text is not None)
    assert text is None or text in shown
    assert text is None or "(lr 0.01)" in shown
