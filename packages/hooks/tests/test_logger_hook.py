"""Lines of the log, metrics of a test, copies of logs."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.hooks import LoggerHook
from eng.logging import MMLogger


@pytest.mark.parametrize("settings", [{"interval": 0}, {"interval_exp_name": 0}])
def test_logger_hook_refuses(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        LoggerHook(**settings)


def test_metrics_of_a_test_are_written_as_plain_numbers(tmp_path: Path) -> None:
    metrics = {"acc": torch.tensor(0.5), "per_class": torch.tensor([1.0, 2.0]), "n": 3}
    processor = SimpleNamespace(get_log_after_epoch=lambda *_: (metrics, "a line"))
    runner = FakeRunner(
        tmp_path, log_dir=str(tmp_path), log_processor=processor, test_dataloader=[0], timestamp="t"
    )
    hook = LoggerHook()
    hook.before_run(runner)
    hook.after_test_epoch(runner)
    (written,) = tmp_path.rglob("*.json")
    assert json.loads(written.read_text()) == {"acc": 0.5, "per_class": [1.0, 2.0], "n": 3}


@pytest.mark.parametrize("keep_local", [True, False])
def test_logs_are_copied_and_stay_if_asked_to(tmp_path: Path, keep_local: bool) -> None:
    log_dir = tmp_path / "job" / "20240131"
    (log_dir / "vis_data").mkdir(parents=True)
    for name in ("20240131.log", "vis_data/scalars.json", "vis_data/image.png"):
        (log_dir / name).write_text(name)
    closed = []
    runner = FakeRunner(
        tmp_path / "job",
        log_dir=str(log_dir),
        timestamp="20240131",
        visualizer=SimpleNamespace(close=lambda: closed.append(True)),
    )
    hook = LoggerHook(out_dir=tmp_path / "out", keep_local=keep_local)
    for _ in range(2):  # as train() and test() of one runner
        hook.before_run(runner)
    assert hook.out_dir == str(tmp_path / "out" / "job")
    hook.after_run(runner)
    copied = {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.*")}
    assert copied == {Path("job/20240131.log"), Path("job/vis_data/scalars.json")}
    assert (log_dir / "20240131.log").exists() is keep_local
    assert (log_dir / "vis_data" / "image.png").exists()
    assert closed == [True]


def test_logs_that_were_moved_are_continued_by_the_next_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log_dir = tmp_path / "job" / "20240131"
    scalars, copied = log_dir / "vis_data" / "scalars.json", tmp_path / "out" / "job"
    scalars.parent.mkdir(parents=True)
    runner = FakeRunner(
        tmp_path / "job",
        log_dir=str(log_dir),
        timestamp="20240131",
        visualizer=SimpleNamespace(close=lambda: None),
    )
    hook = LoggerHook(out_dir=tmp_path / "out", keep_local=False)

    def write(text: str, ends: bool = True) -> None:
        hook.before_run(runner)
        with scalars.open("a") as file:
            file.write(text)
        if ends:
            hook.after_run(runner)

    write("train ")
    scalars.write_text("since ")
    write("failed test ", ends=False)
    write("test ")
    path = copied / "vis_data" / "scalars.json"
    assert path.read_text() == "train since failed test test "
    # Another start of the run, and a copy that is gone, replace nothing.
    other = LoggerHook(out_dir=tmp_path / "out", keep_local=False)
    scalars.write_text("resumed")
    other.before_run(runner)
    other.after_run(runner)
    assert path.read_text() == "train since failed test test "
    assert (copied / "20240131" / "vis_data" / "scalars.json").read_text() == "resumed"
    path.unlink()
    write("more")
    assert "Failed to continue" in caplog.text
    assert path.read_text() == "more"


@pytest.mark.parametrize("out_dir", [3, True, ["runs"]])
def test_a_folder_that_is_not_a_path_is_refused(out_dir: Any) -> None:
    with pytest.raises(TypeError, match="LoggerHook: out_dir must be a path or None"):
        LoggerHook(out_dir=out_dir)


@pytest.mark.parametrize("interval", [0, -3, 2.5, "10", True, None])
def test_an_interval_is_refused_as_every_kind_that_people_catch(interval: Any) -> None:
    is_number = isinstance(interval, int) and interval is not True
    kinds = (ValueError,) if is_number else (ValueError, TypeError)
    for kind in kinds:
        with pytest.raises(kind, match="interval must be an integer of at least 1"):
            LoggerHook(interval=interval)


def test_a_log_file_is_closed_before_it_is_removed_and_begun_anew(tmp_path: Path) -> None:
    log_dir = tmp_path / "job" / "20240131"
    logger = MMLogger(str(tmp_path), log_file=log_dir / "20240131.log", file_mode="a")
    logger.info("of the run")
    outside = logging.FileHandler(tmp_path / "other.log")
    logger.addHandler(outside)
    runner = FakeRunner(
        tmp_path / "job",
        log_dir=str(log_dir),
        timestamp="20240131",
        logger=logger,
        visualizer=SimpleNamespace(close=lambda: None),
    )
    hook = LoggerHook(out_dir=tmp_path / "out", keep_local=False)
    hook.before_run(runner)
    hook.after_run(runner)
    assert not (log_dir / "20240131.log").exists()
    assert "of the run" in (tmp_path / "out" / "job" / "20240131.log").read_text()
    assert not outside.stream.closed
    logger.info("of the next run")
    text = (log_dir / "20240131.log").read_text()
    assert "of the next run" in text
    assert "of the run" not in text
    outside.close()


def test_the_experiment_is_named_at_the_end_of_each_epoch(tmp_path: Path) -> None:
    logger = MMLogger(str(tmp_path), log_file=tmp_path / "run.log")
    processor = SimpleNamespace(get_log_after_iter=lambda *_: ({}, "a line"))
    runner = FakeRunner(
        tmp_path,
        logger=logger,
        log_processor=processor,
        experiment_name="first_try",
        train_dataloader=[0, 0, 0],
        visualizer=SimpleNamespace(add_scalars=lambda *_, **__: None),
    )
    hook = LoggerHook(interval=100, interval_exp_name=4)
    named = []
    for iteration in range(6):
        runner.iter = iteration
        before = (tmp_path / "run.log").read_text().count("Exp name: first_try")
        hook.after_train_iter(runner, iteration % 3)
        named.append((tmp_path / "run.log").read_text().count("Exp name: first_try") - before)
    assert named == [0, 0, 1, 1, 0, 1]
