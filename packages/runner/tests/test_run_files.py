"""Open files, memory and the size of checkpoints stay level however long a run is."""

from __future__ import annotations

import copy
import gc
import json
import os
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from eng.hooks import Hook
from eng.logging import MessageHub, MMLogger
from eng.runner import Runner
from eng.utils import ManagerMixin

BACKENDS = [{"type": "LocalVisBackend"}]
if find_spec("tensorboard") is not None:  # it is an extra of eng-vis
    BACKENDS.append({"type": "TensorboardVisBackend"})


def open_files(job: dict[str, Any]) -> list[str]:
    """Files beside the work directory of a job that this process has open."""
    gc.collect()
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("no /proc tells which files are open")
    paths = []
    for each in list(folder.iterdir()):
        try:
            paths.append(str(each.readlink()))
        except OSError:  # the listing itself
            continue
    return [path for path in paths if path.startswith(str(Path(job["work_dir"]).parent))]


def resident() -> int:
    """Memory of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Failing(Hook):
    def after_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError("on purpose")


def test_a_run_leaves_no_file_open_and_can_go_on(job: dict[str, Any]) -> None:
    job["visualizer"] = {"type": "Visualizer", "vis_backends": BACKENDS}
    job["default_hooks"] = {"logger": {"type": "LoggerHook", "interval": 2}}
    runner = Runner.from_cfg(job)
    assert open_files(job) == []
    runner.train()
    assert open_files(job) == []
    log = next(Path(runner.log_dir).glob("*.log"))
    size = log.stat().st_size
    runner.logger.info("between two runs")
    assert open_files(job) == []
    runner.test()
    assert open_files(job) == []
    text = log.read_text()[size:]
    assert "between two runs" in text
    assert "Epoch(test)" in text
    runner.val()
    assert "Epoch(val)" in log.read_text()[size + len(text) :]


def test_a_run_that_fails_leaves_no_file_open(job: dict[str, Any]) -> None:
    job["visualizer"] = {"type": "Visualizer", "vis_backends": BACKENDS}
    runner = Runner.from_cfg({**job, "custom_hooks": [Failing()]})
    with pytest.raises(ZeroDivisionError):
        runner.train()
    assert open_files(job) == []


def test_what_is_kept_by_name_goes_with_its_runner(job: dict[str, Any]) -> None:
    job["log_level"] = "ERROR"
    # All classes: a visualizer that stays would keep its name, which the next runner may take.
    with ManagerMixin.isolated(), MMLogger.isolated() as loggers, MessageHub.isolated() as hubs:
        for number in range(20):
            runner = Runner.from_cfg({**job, "experiment_name": f"of {number}"})
            assert MessageHub.get_current_instance() is runner.message_hub
        gc.collect()
        assert MessageHub.get_current_instance() is runner.message_hub
        Runner.from_cfg(job)
        assert 0 < len(loggers) < 10
        assert 0 < len(hubs) < 10


def test_a_deleted_runner_takes_nothing_from_another_of_its_name(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "strftime", lambda *_: "20260101_000000")  # both begin then
    job["log_level"] = "ERROR"
    with ManagerMixin.isolated():
        with ManagerMixin.isolated():
            Runner.from_cfg(job)
        gc.collect()
        runner = Runner.from_cfg({**job, "work_dir": f"{job['work_dir']}_of_another"})
        assert MMLogger.get_current_instance() is runner.logger
        assert MessageHub.get_current_instance() is runner.message_hub


WINDOWS = [
    {"data_src": "loss", "log_name": f"loss_{method}_{window}", "method_name": method, **size}
    for method in ("mean", "max", "min")
    for window, size in {
        "epoch": {"window_size": "epoch"},
        "global": {"window_size": "global"},
        "30": {"window_size": 30},
        "all": {},
    }.items()
]


def curves(work_dir: str) -> dict[int, dict[str, Any]]:
    found = {}
    for path in sorted(Path(work_dir).glob("*/vis_data/scalars.json")):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            if "iter" in record:
                record = {k: v for k, v in record.items() if not k.endswith("time")}
                found[record["iter"]] = record
    return found


@pytest.mark.parametrize("by_epoch", [True, False])
def test_curves_of_a_resumed_run_are_those_of_one_that_was_not(
    job: dict[str, Any], tmp_path: Path, by_epoch: bool
) -> None:
    job["train_dataloader"]["dataset"] = {"type": "LineData", "length": 200}
    windows = WINDOWS if by_epoch else [w for w in WINDOWS if w.get("window_size") != "epoch"]
    job["log_processor"] = {"type": "LogProcessor", "by_epoch": by_epoch, "custom_cfg": windows}
    if by_epoch:
        job["train_cfg"] = {"by_epoch": True, "max_epochs": 4}
    else:
        job["train_cfg"] = {"by_epoch": False, "max_iters": 200}
    settings = {"type": "CheckpointHook", "interval": 37, "by_epoch": False}
    job["default_hooks"] = {
        "logger": {"type": "LoggerHook", "interval": 5},
        "checkpoint": settings,
    }
    Runner.from_cfg({**copy.deepcopy(job), "work_dir": str(tmp_path / "whole")}).train()
    whole = curves(str(tmp_path / "whole"))
    sizes = []
    for stop in (74, 148, 185):
        name = tmp_path / "whole" / f"iter_{stop}.pth"
        state = torch.load(name, weights_only=True)["message_hub"]
        sizes.append(len(state["log_scalars"]["train/loss"]["log_history"]))
        cfg = {**copy.deepcopy(job), "work_dir": str(tmp_path / f"from {stop}")}
        Runner.from_cfg({**cfg, "resume": True, "load_from": str(name)}).train()
        resumed = curves(cfg["work_dir"])
        assert resumed
        assert resumed == {step: whole[step] for step in whole if step > stop}
    assert max(sizes) <= 8 * (64 + 50)


@pytest.mark.exact
def test_a_thousand_runners_leave_no_file_open(job: dict[str, Any]) -> None:
    job["visualizer"] = {"type": "Visualizer", "vis_backends": BACKENDS}
    job["log_level"] = "ERROR"
    levels = []
    for number in range(1000):
        runner = Runner.from_cfg({**job, "experiment_name": f"of {number}"})
        if number % 5 == 0:
            runner.train()
            runner.test()
        if number % 100 == 99:
            assert open_files(job) == []
            levels.append(resident())
    assert levels[-1] - levels[1] < 60e6, levels


@pytest.mark.exact
def test_memory_and_checkpoints_stay_level_over_many_iterations(
    job: dict[str, Any], tmp_path: Path
) -> None:
    job["train_cfg"] = {"by_epoch": False, "max_iters": 20_000}
    job["log_processor"] = {"type": "LogProcessor", "by_epoch": False}
    job["log_level"] = "ERROR"
    job["default_hooks"] = {
        "checkpoint": {"type": "CheckpointHook", "interval": 5000, "by_epoch": False}
    }
    for name in ("val_dataloader", "val_cfg", "val_evaluator"):
        job.pop(name)
    levels: list[int] = []

    class Watching(Hook):
        def after_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
            if self.every_n_train_iters(runner, 5000):
                gc.collect()
                levels.append(resident())

    runner = Runner.from_cfg({**job, "custom_hooks": [Watching()]})
    runner.train()
    files = [Path(runner.work_dir) / f"iter_{count}.pth" for count in (5000, 20_000)]
    small, large = (path.stat().st_size for path in files)
    assert large - small < 10_000
    assert levels[-1] - levels[0] < 30e6, levels
    assert open_files(job) == []
