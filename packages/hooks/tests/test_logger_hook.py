"""Lines of the log, metrics of a test, copies of logs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.hooks import (
    LoggerHook,
)


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


@pytest.mark.parametrize("interval", [0, -3, 2.5, "10", True, None])
def test_an_interval_is_refused_as_every_kind_that_people_catch(interval: Any) -> None:
    is_number = isinstance(interval, int) and interval is not True
    kinds = (ValueError,) if is_number else (ValueError, TypeError)
    for kind in kinds:
        with pytest.raises(kind, match="interval must be an integer of at least 1"):
            LoggerHook(interval=interval)
