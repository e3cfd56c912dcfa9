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

import parallel_cases
import runner_workers as workers

from eng.dist.testing import run_in_processes
from eng.runner import Runner, RunnerConfigError
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


def run_with_batches_of(size: int, folder: Path, **more: Any) -> list[float]:
    """Losses of a run of two epochs, or the rest of it, which keeps the samples of an update."""
    settings = parallel_cases.job(str(folder), 1, None)
    return parallel_cases.run(
        str(folder),
        1,
        None,
        train_dataloader={**settings["train_dataloader"], "batch_size": size},
        custom_hooks=[],
        default_hooks={"checkpoint": {"type": "CheckpointHook", "by_epoch": False, "interval": 1}},
        keep_global_batch=True,
        **more,
    )["losses"]


def test_an_update_keeps_its_samples_on_a_resume(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_with_batches_of(4, tmp_path / "whole")
    stopped = tmp_path / "stopped"
    # Stopped after an odd number of updates, and then inside of an update.
    assert len(run_with_batches_of(4, stopped, stop_at=3)) == 3
    assert len(run_with_batches_of(2, stopped, stop_at=6, resume=True)) == 3
    shown = capsys.readouterr().out
    assert "keeps its 4 samples (keep_global_batch): accumulative_counts is 2 instead of 1" in shown
    assert len(run_with_batches_of(2, stopped, resume=True)) == 17 - 6
    wanted = torch.load(tmp_path / "whole" / "iter_10.pth", weights_only=True)["state_dict"]
    found = torch.load(stopped / "iter_17.pth", weights_only=True)["state_dict"]
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [3, 8])
def test_an_update_that_cannot_keep_its_samples_is_refused(tmp_path: Path, size: int) -> None:
    run_with_batches_of(4, tmp_path, stop_at=1)
    text = f"cannot keep the 4 samples of an update: an iteration of 1 processes takes {size}"
    with pytest.raises(RunnerConfigError, match=text):
        run_with_batches_of(size, tmp_path, resume=True)


def test_keep_global_batch_is_a_bool(tmp_path: Path) -> None:
    cfg = parallel_cases.job(str(tmp_path), 1, None, keep_global_batch="yes")
    with pytest.raises(RunnerConfigError, match="keep_global_batch must be True or False"):
        Runner.from_cfg(cfg)
