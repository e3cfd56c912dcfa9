"""Runs on a CUDA device. Collected everywhere, run where one is."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import runner_workers as workers

from eng.dist.testing import run_in_processes
from eng.hooks import Hook
from eng.runner import Runner

pytestmark = pytest.mark.gpu
WRAPPERS = ["MMDistributedDataParallel", "MMFullyShard"]


class SyncCounter(Hook):
    """Counts, by iteration, how often the host waits for the device."""

    priority = "VERY_HIGH"  # first of all, so that a wait counts for the iteration it is in

    def __init__(self) -> None:
        self.counts: list[int] = []
        self.caught: list[warnings.WarningMessage] = []

    def after_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        self.counts.append(sum("synchroniz" in str(w.message) for w in self.caught))
        self.caught.clear()


def count_syncs(job: dict[str, Any]) -> list[int]:
    counter = SyncCounter()
    runner = Runner.from_cfg(job)
    runner.register_hook(counter)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        counter.caught = caught
        torch.cuda.set_sync_debug_mode("warn")
        try:
            runner.train()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return counter.counts


def quiet_job(tmp_path: Path, precision: str) -> dict[str, Any]:
    """No line of the log and no checkpoint falls into its iterations."""
    job = workers.plane_job(tmp_path, precision)
    job["default_hooks"] = {"checkpoint": None, "logger": {"type": "LoggerHook", "interval": 1000}}
    job["train_dataloader"]["pin_memory"] = True
    return job


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    ("settings", "hooks"),
    [
        ({}, []),
        ({}, [{"type": "EMAHook"}]),
        ({"accumulative_counts": 2}, []),
        ({"clip_grad": {"max_norm": 1.0}}, []),
    ],
    ids=["plain", "ema", "accumulation", "clipping"],
)
def test_the_host_waits_for_nothing_between_log_lines(
    tmp_path: Path, precision: str, settings: dict[str, Any], hooks: list[dict[str, Any]]
) -> None:
    job = quiet_job(tmp_path, precision)
    job["optim_wrapper"].update(settings)
    counts = count_syncs({**job, "custom_hooks": hooks})
    assert len(counts) == 24
    assert counts[2:8] == [0] * 6, "in the first epoch, after its first iterations"


def test_the_scaler_of_fp16_waits_once_an_iteration(tmp_path: Path) -> None:
    assert count_syncs(quiet_job(tmp_path, "fp16"))[2:8] == [1] * 6


def losses_in(path: Path) -> dict[int, str]:
    """Losses by iteration; one that was done again counts as it was the last time."""
    return dict(line.split() for line in path.read_text().splitlines())  # type: ignore[arg-type]


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("hooks", [[], [{"type": "EMAHook"}]], ids=["plain", "ema"])
def test_a_killed_run_resumes_to_the_same_losses(
    tmp_path: Path, precision: str, hooks: list[dict[str, Any]]
) -> None:
    context = multiprocessing.get_context("spawn")
    job = workers.plane_job(tmp_path / "killed", precision, custom_hooks=hooks)
    whole = {**job, "work_dir": str(tmp_path / "whole")}
    workers.train_to_file(str(tmp_path / "whole.txt"), None, whole)
    exit_codes = []
    for kill_at, resume in ((7, False), (14, True), (None, True)):
        args = (str(tmp_path / "killed.txt"), kill_at, {**job, "resume": resume})
        process = context.Process(target=workers.train_to_file, args=args)
        process.start()
        process.join()
        exit_codes.append(process.exitcode)
    assert exit_codes == [-signal.SIGKILL, -signal.SIGKILL, 0]
    assert losses_in(tmp_path / "killed.txt") == losses_in(tmp_path / "whole.txt")
    if precision == "fp16":
        saved = torch.load(tmp_path / "whole" / "iter_24.pth", weights_only=True)
        assert saved["optimizer"]["loss_scaler"]["scale"] > 0


def test_a_checkpoint_holds_the_random_state_of_the_device(tmp_path: Path) -> None:
    runner = Runner.from_cfg(workers.plane_job(tmp_path))
    runner.train()
    wanted = torch.rand(3, device="cuda")
    torch.cuda.manual_seed(99)
    runner.resume(str(tmp_path / "iter_24.pth"))
    assert torch.equal(torch.rand(3, device="cuda"), wanted)


def test_a_compiled_model_trains_to_the_losses_of_the_model(tmp_path: Path) -> None:
    losses = {}
    for name in ("plain", "compiled"):
        runner = Runner.from_cfg(workers.plane_job(tmp_path / name))
        runner.model.net[1].p = 0.0  # compiled dropout draws other numbers
        if name == "compiled":
            runner.model.net = torch.compile(runner.model.net)
        workers_file = tmp_path / f"{name}.txt"
        runner.register_hook(workers.LossFile(workers_file))
        runner.train()
        losses[name] = [float.fromhex(loss) for loss in losses_in(workers_file).values()]
    assert len(losses["plain"]) == 24
    assert losses["compiled"] == pytest.approx(losses["plain"], rel=1e-4)


def test_log_lines_show_memory(tmp_path: Path) -> None:
    job = workers.plane_job(tmp_path)
    job["default_hooks"]["logger"] = {"type": "LoggerHook", "interval": 1}
    runner = Runner.from_cfg(job)
    runner.train()
    assert "memory: " in next(Path(runner.log_dir).glob("*.log")).read_text()


def test_an_average_is_on_the_device(tmp_path: Path) -> None:
    runner = Runner.from_cfg(workers.plane_job(tmp_path, custom_hooks=[{"type": "EMAHook"}]))
    runner.train()
    (ema,) = (hook for hook in runner.hooks if type(hook).__name__ == "EMAHook")
    assert {p.device.type for p in ema.ema_model.module.parameters()} == {"cuda"}
    pairs = zip(ema.ema_model.module.parameters(), runner.model.parameters(), strict=True)
    assert not all(torch.equal(averaged, trained) for averaged, trained in pairs)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_one_process_trains_in_a_group_of_nccl(tmp_path: Path, wrapper: str) -> None:
    args = (str(tmp_path), wrapper)
    ((backend, device, losses),) = run_in_processes(
        workers.train_wrapped, 1, *args, device="cuda", timeout=120
    )
    assert (backend, device) == ("nccl", "cuda")
    assert len(losses) == 24
    assert sum(losses[-8:]) < sum(losses[:8])


def test_a_checkpoint_saved_in_the_background_is_that_of_its_moment(tmp_path: Path) -> None:
    for name, is_async in (("plain", False), ("behind", True)):
        job = workers.plane_job(tmp_path / name, "bf16")
        job["default_hooks"]["checkpoint"].update(interval=5, async_save=is_async)
        Runner.from_cfg(job).train()
    for path in sorted((tmp_path / "plain").glob("*.pth")):
        plain = torch.load(path, "cpu", weights_only=True)
        behind = torch.load(tmp_path / "behind" / path.name, "cpu", weights_only=True)
        for key, value in plain["state_dict"].items():
            assert torch.equal(value, behind["state_dict"][key])
        for slot, entry in plain["optimizer"]["state"].items():
            for key, value in entry.items():
                assert torch.equal(value, behind["optimizer"]["state"][slot][key])
