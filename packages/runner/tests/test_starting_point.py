"""From what a run starts: the newest whole checkpoint, a file, or nothing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import runner_workers as workers

from eng.checkpoint import CheckpointError
from eng.dist.testing import run_in_processes
from eng.runner import Runner, RunnerConfigError


def train(job: dict[str, Any], epochs: int, **settings: Any) -> Runner:
    cfg = {**job, "train_cfg": {"by_epoch": True, "max_epochs": epochs}, **settings}
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def log_of(runner: Runner) -> str:
    return next(Path(runner.log_dir).glob("*.log")).read_text()


def weights(path: Path) -> Any:
    return torch.load(path, weights_only=True)["state_dict"]["net.0.weight"]


@pytest.fixture
def folder(job: dict[str, Any]) -> Path:
    """The work directory, in which a run has trained for two epochs."""
    train(job, 2)
    return Path(job["work_dir"])


def flip(path: Path) -> None:
    content, part = bytearray(path.read_bytes()), weights(path).numpy().tobytes()
    content[content.index(part)] ^= 1
    path.write_bytes(content)


def test_a_damaged_checkpoint_is_reported_and_the_one_before_it_taken(
    job: dict[str, Any], folder: Path
) -> None:
    flip(folder / "epoch_2.pth")
    runner = train(job, 3, resume=True)
    lines = [line for line in log_of(runner).splitlines() if "cannot be resumed from" in line]
    assert len(lines) == 1
    assert f"{folder}/epoch_2.pth cannot be resumed from: checksum mismatch" in lines[0]
    assert "Resumed from" in log_of(runner)
    assert f"Resuming from {folder}/epoch_1.pth, the newest whole checkpoint" in log_of(runner)
    train({**job, "work_dir": str(folder.parent / "whole")}, 3)
    assert torch.equal(
        weights(folder / "epoch_3.pth"), weights(folder.parent / "whole" / "epoch_3.pth")
    )


def test_a_run_does_not_start_from_scratch_over_damaged_checkpoints(
    job: dict[str, Any], folder: Path
) -> None:
    for path in folder.glob("*.pth"):
        path.write_bytes(path.read_bytes()[:100])
    before = {path: path.read_bytes() for path in folder.glob("*.pth")}
    for resume in (True, "auto"):
        with pytest.raises(CheckpointError, match=r"epoch_2\.pth: .*; .*epoch_1\.pth: "):
            train(job, 3, resume=resume)
    assert {path: path.read_bytes() for path in folder.glob("*.pth")} == before


@pytest.mark.parametrize("resume", [True, "auto"])
def test_an_empty_folder_is_started_in(job: dict[str, Any], resume: bool | str) -> None:
    runner = train(job, 1, resume=resume)
    assert runner.iter == 5
    assert log_of(runner).count(": starting from scratch.") == 1


def test_a_used_folder_is_told_of_once_where_it_is_not_resumed(
    job: dict[str, Any], folder: Path
) -> None:
    assert "of an earlier run" not in "".join(p.read_text() for p in folder.glob("*/*.log"))
    runner = train(job, 1)
    lines = [line for line in log_of(runner).splitlines() if "of an earlier run" in line]
    assert len(lines) == 1
    assert f"{folder}/epoch_2.pth" in lines[0]
    assert runner.iter == 5


def test_a_copied_folder_is_resumed_in_its_place(job: dict[str, Any], folder: Path) -> None:
    other = folder.with_name("other")
    shutil.copytree(folder, other)
    (other / "last_checkpoint").write_text(str(folder / "epoch_1.pth"))
    runner = train({**job, "work_dir": str(other)}, 3, resume=True)
    assert f"Resuming from {other}/epoch_1.pth" in log_of(runner)
    assert not (folder / "epoch_3.pth").exists()


def test_checkpoints_elsewhere_are_found_without_a_pointer(
    job: dict[str, Any], tmp_path: Path
) -> None:
    job["default_hooks"]["checkpoint"] = {
        "type": "CheckpointHook",
        "interval": 1,
        "out_dir": str(tmp_path / "out"),
        "filename_tmpl": "e{:02d}.ckpt",
    }
    train(job, 2)
    folder = Path(job["work_dir"])
    assert (folder / "last_checkpoint").read_text() == str(tmp_path / "out" / "work" / "e02.ckpt")
    (folder / "last_checkpoint").unlink()
    runner = train(job, 3, resume=True)
    assert f"Resuming from {tmp_path}/out/work/e02.ckpt" in log_of(runner)


def test_a_requeued_run_resumes_from_its_own_checkpoint_not_from_the_file(
    job: dict[str, Any], tmp_path: Path
) -> None:
    other = str(tmp_path / "other")
    train(job, 1, work_dir=other)
    job.update(load_from=f"{other}/epoch_1.pth", resume=True)
    first = train(job, 2)
    assert f"Resuming from {other}/epoch_1.pth: " in log_of(first)
    assert first.iter == 10
    again = train(job, 3)
    folder = job["work_dir"]
    words = f"Resuming from {folder}/epoch_2.pth, the newest whole checkpoint of the run that start"
    assert words in log_of(again)
    # So does one that is resumed by its folder alone in between.
    train({**job, "load_from": None}, 4)
    last = train(job, 5)
    assert f"Resuming from {folder}/epoch_4.pth" in log_of(last)


def test_a_file_is_resumed_from_although_other_runs_were_here(
    job: dict[str, Any], folder: Path
) -> None:
    runner = train(job, 2, load_from=str(folder / "epoch_1.pth"), resume=True)
    assert f"Resuming from {folder}/epoch_1.pth: " in log_of(runner)


def test_a_path_to_resume_from_is_resumed_from(job: dict[str, Any], folder: Path) -> None:
    path = str(folder / "epoch_1.pth")
    runner = train(job, 3, resume=path)
    assert f"Resuming from {path}: " in log_of(runner)
    assert (runner.epoch, runner.iter) == (3, 15)
    # Started again in the same way, from its own.
    assert f"Resuming from {folder}/epoch_3.pth, the newest" in log_of(train(job, 4, resume=path))
    with pytest.raises(RunnerConfigError, match="names the checkpoint to resume from"):
        train(job, 4, resume=path, load_from=str(folder / "epoch_2.pth"))


def test_a_file_of_weights_is_loaded_with_a_line(job: dict[str, Any], folder: Path) -> None:
    file = folder.parent / "weights.pth"
    torch.save(torch.load(folder / "epoch_2.pth")["state_dict"], file)
    settings = {"work_dir": str(folder.parent / "other"), "load_from": str(file), "resume": True}
    runner = train(job, 1, **settings)
    assert log_of(runner).count("has no epoch and iter to resume from: its weights are loaded") == 1
    assert runner.iter == 5
    assert "Resuming from" in log_of(train(job, 2, **settings))


def test_auto_takes_the_weights_first_and_resumes_later(job: dict[str, Any], folder: Path) -> None:
    settings = {
        "work_dir": str(folder.parent / "other"),
        "load_from": str(folder / "epoch_2.pth"),
        "resume": "auto",
    }
    runner = train(job, 1, **settings)
    assert "loading the weights of" in log_of(runner)
    assert (runner.epoch, runner.iter) == (1, 5)
    again = train(job, 2, **settings)
    assert f"Resuming from {folder.parent}/other/epoch_1.pth" in log_of(again)


def test_a_damaged_file_that_is_named_is_an_error(job: dict[str, Any], folder: Path) -> None:
    flip(folder / "epoch_1.pth")
    for resume in (True, False):
        settings = {"work_dir": str(folder.parent / "other"), "resume": resume}
        with pytest.raises(CheckpointError, match=r"epoch_1\.pth"):
            train(job, 3, load_from=str(folder / "epoch_1.pth"), **settings)


@pytest.mark.slow
def test_processes_load_what_the_first_has_and_fail_together(tmp_path: Path) -> None:
    first, second = run_in_processes(workers.load_and_fail_together, 2, str(tmp_path))
    assert first == second
    assert first[0] == [0, 3, 4]  # on disks of their own
    assert "No space left" in first[1]  # of a save in the background
