"""Signals and time limits: nothing is lost, and the resumed run is that without them."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from torch.utils.data import DataLoader

sys.path.insert(0, str(Path(__file__).parent))

import interruption_cases as cases

from eng.dist.testing import run_in_processes
from eng.registry import LOOPS
from eng.runner import EpochBasedTrainLoop, Runner, RunnerConfigError, TrainingInterrupted

SIGNALS = ("SIGTERM", "SIGINT", "SIGUSR1")
# Which of the moments of a phase; each is before the end of training.
NUMBERS = {"training": 11, "validation": 6, "evaluation": 2, "saving": 2, "data": 45}


@pytest.fixture(autouse=True)
def as_in_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs the tests may ignore Ctrl-C, or be started by Slurm."""
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    for name in SIGNALS:
        default = signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL
        signal.signal(getattr(signal, name), default)


@pytest.fixture(scope="module", params=[True, False], ids=["epochs", "iterations"])
def whole(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[bool, Any, Any]:
    """A run that is not interrupted: its kind, its losses and its weights."""
    folder = tmp_path_factory.mktemp("whole")
    cases.moment.__init__()
    runner = cases.build(folder, cases.job_of(folder, request.param))
    runner.train()
    return request.param, cases.losses(folder), cases.weights(runner)


def interrupt(folder: Path, by_epoch: bool, name: str, phase: str, **more: Any) -> Any:
    """Train until a signal in a phase."""
    cases.moment.__init__(phase, NUMBERS[phase], cases.Raise(name))
    runner = cases.build(folder, cases.job_of(folder, by_epoch, **more))
    with pytest.raises(TrainingInterrupted) as caught:
        runner.train()
    return runner, caught.value


@pytest.mark.parametrize(("name", "phase"), [(SIGNALS[i % 3], p) for i, p in enumerate(NUMBERS)])
def test_a_run_that_was_interrupted_goes_on_to_the_bit(
    tmp_path: Path, whole: Any, name: str, phase: str
) -> None:
    by_epoch, losses, weights = whole
    runner, interrupted = interrupt(tmp_path, by_epoch, name, phase)
    assert interrupted.status == interrupted.code == 128 + getattr(signal, name)
    assert isinstance(interrupted, KeyboardInterrupt) == (name == "SIGINT")
    assert Path(interrupted.checkpoint).is_file()
    assert 0 < runner.iter < 24
    log = Path(runner.log_dir, f"{runner.timestamp}.log").read_text()
    assert f"--work-dir {runner.work_dir} --resume" in log
    resumed = cases.build(tmp_path, cases.job_of(tmp_path, by_epoch, resume=True))
    resumed.load_or_resume()
    assert resumed.iter == runner.iter
    resumed.train()
    assert cases.losses(tmp_path) == losses
    assert cases.weights(resumed) == weights


@pytest.mark.parametrize("by_epoch", [True, False])
@pytest.mark.parametrize("sample", [33, 41])  # the first of an epoch of 32, and one inside
@pytest.mark.parametrize("kind", ["shuffle", "object", "accumulation"])
@pytest.mark.parametrize("is_caught", [True, False])
def test_orders_of_torch_and_open_cycles_go_on_to_the_bit(
    tmp_path: Path, by_epoch: bool, sample: int, kind: str, is_caught: bool
) -> None:
    def build(folder: Path, **more: Any) -> Runner:
        job = cases.job_of(folder, by_epoch, **more)
        if kind == "accumulation":
            job["optim_wrapper"]["accumulative_counts"] = 3
        else:
            del job["train_dataloader"]["sampler"]
            job["train_dataloader"]["shuffle"] = True
        if kind == "object":
            job["train_dataloader"] = DataLoader(cases.NoisyPlane(), batch_size=4, shuffle=True)
        return cases.build(folder, job)

    cases.moment.__init__()
    whole = build(tmp_path / "whole")
    whole.train()
    cases.moment.__init__("data", sample, cases.Raise("SIGTERM"))
    stopped = build(tmp_path)
    with pytest.raises(TrainingInterrupted):
        stopped.train()
    runner = stopped if is_caught else build(tmp_path, resume=True)
    runner.train()
    assert cases.losses(tmp_path) == cases.losses(tmp_path / "whole")
    assert cases.weights(runner) == cases.weights(whole)


@pytest.mark.parametrize("phase", ["training", "validation", "data"])
def test_who_catches_it_can_go_on(tmp_path: Path, whole: Any, phase: str) -> None:
    by_epoch, losses, weights = whole
    before = [signal.getsignal(getattr(signal, name)) for name in SIGNALS]
    runner, _ = interrupt(tmp_path, by_epoch, "SIGTERM", phase)
    assert [signal.getsignal(getattr(signal, name)) for name in SIGNALS] == before
    assert "loop_stage" not in runner.message_hub.runtime_info
    assert signal.set_wakeup_fd(-1) == -1
    assert not [each for each in threading.enumerate() if each.name.startswith("eng.")]
    runner.train()
    assert cases.losses(tmp_path) == losses
    assert cases.weights(runner) == weights
    assert runner.val() == {"count": 32.0}


def test_a_signal_at_the_very_end_ends_the_program_too(tmp_path: Path) -> None:
    cases.moment.__init__("saving", 3, cases.Raise("SIGTERM"))
    job = cases.job_of(tmp_path, True)
    for key in ("val_dataloader", "val_cfg", "val_evaluator"):
        del job[key]
    runner = cases.build(tmp_path, job)
    with pytest.raises(TrainingInterrupted) as caught:
        runner.train()
    assert (runner.iter, Path(caught.value.checkpoint).name) == (24, "epoch_3.pth")


@pytest.mark.parametrize("limit", [0.3, "0:00.3"])
def test_a_time_limit_is_a_planned_end(tmp_path: Path, whole: Any, limit: Any) -> None:
    by_epoch, losses, _ = whole
    settings = {"time_limit": limit}
    cases.moment.__init__("data", 45, cases.Wait(tmp_path / "mark", 100))
    runner = cases.build(tmp_path, cases.job_of(tmp_path, by_epoch, interruption=settings))
    with pytest.raises(TrainingInterrupted) as caught:
        runner.train()
    assert (caught.value.status, caught.value.cause) == (0, "time limit")
    cases.moment.__init__()
    cases.build(tmp_path, cases.job_of(tmp_path, by_epoch, resume=True)).train()
    assert cases.losses(tmp_path) == losses


def test_a_handler_of_the_program_is_left_alone(tmp_path: Path) -> None:
    got: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, frame: got.append(number))
    mine = signal.getsignal(signal.SIGUSR1)
    cases.moment.__init__("training", 5, cases.Raise("SIGUSR1"))
    cases.build(tmp_path, cases.job_of(tmp_path, True)).train()
    assert got == [signal.SIGUSR1]
    # Unless the config asks for the signal by name.
    settings = {"signals": ["SIGUSR1"]}
    interrupt(tmp_path / "b", True, "SIGUSR1", "training", interruption=settings)
    assert signal.getsignal(signal.SIGUSR1) is mine
    assert got == [signal.SIGUSR1]


def test_ctrl_c_in_a_notebook_ends_the_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    cases.moment.__init__("training", 5, cases.Raise("SIGINT"))
    runner = cases.build(tmp_path, cases.job_of(tmp_path, True))
    with pytest.raises(KeyboardInterrupt) as caught:
        runner.train()
    assert not isinstance(caught.value, SystemExit)
    assert (tmp_path / "work" / "iter_5.pth").is_file()


def test_outside_of_the_main_thread_there_are_no_handlers(tmp_path: Path) -> None:
    cases.moment.__init__()
    runner = cases.build(tmp_path, cases.job_of(tmp_path, True))
    thread = threading.Thread(target=runner.train)
    thread.start()
    thread.join()
    assert runner.iter == 24


def test_a_run_without_checkpoints_of_its_own_is_saved_too(tmp_path: Path) -> None:
    hooks = {"default_hooks": {"checkpoint": None}}
    _, interrupted = interrupt(tmp_path, True, "SIGTERM", "training", **hooks)
    assert interrupted.checkpoint == str(tmp_path / "work" / "iter_11.pth")


@LOOPS.register_module(force=True)
class OwnLoop(EpochBasedTrainLoop):
    """Reads its batches and counts by itself, as loops of people do."""

    def run_epoch(self) -> None:
        self.runner.call_hook("before_train_epoch")
        for idx, batch in enumerate(self.dataloader):
            self.runner.call_hook("before_train_iter", batch_idx=idx, data_batch=batch)
            outputs = self.runner.model.train_step(batch, optim_wrapper=self.runner.optim_wrapper)
            self.runner.call_hook(
                "after_train_iter", batch_idx=idx, data_batch=batch, outputs=outputs
            )
            self._iter += 1
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1


def test_a_loop_of_somebody_else_is_interrupted_too(tmp_path: Path) -> None:
    cfg = {"type": "OwnLoop", "max_epochs": 3}
    runner, interrupted = interrupt(tmp_path, True, "SIGTERM", "training", train_cfg=cfg)
    assert (runner.iter, interrupted.status) == (11, 143)
    assert (tmp_path / "work" / "iter_11.pth").is_file()


def fake_scontrol(folder: Path, monkeypatch: pytest.MonkeyPatch, status: int = 0) -> Path:
    program = folder / "bin" / "scontrol"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho $@ >> {folder}/called\necho no >&2\nexit {status}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    return folder / "called"


@pytest.mark.parametrize(
    ("name", "requeue", "called"),
    [
        ("SIGUSR1", True, "requeue 77\n"),
        ("SIGTERM", True, ""),  # which is that of scancel
        ("SIGTERM", ["SIGTERM"], "requeue 77\n"),
        ("SIGUSR1", False, ""),
    ],
)
def test_slurm_is_asked_to_start_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, requeue: Any, called: str
) -> None:
    file = fake_scontrol(tmp_path, monkeypatch)
    _, interrupted = interrupt(tmp_path, True, name, "training", interruption={"requeue": requeue})
    assert interrupted.status == 128 + getattr(signal, name)
    assert (file.read_text() if file.exists() else "") == called


def test_a_refusal_of_slurm_is_in_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_scontrol(tmp_path, monkeypatch, status=1)
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "80")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    runner, _ = interrupt(tmp_path, True, "SIGUSR1", "training", interruption={"requeue": True})
    log = Path(runner.log_dir, f"{runner.timestamp}.log").read_text()
    assert "Slurm job 80_3 was not requeued: scontrol requeue 80_3: no" in log


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"time_limits": 3},
            "interruption has an unexpected setting 'time_limits': did you mean 'time_limit'",
        ),
        ({"time_limit": "soon"}, "interruption: time_limit must be .*, got 'soon'"),
        ({"time_limit": 0}, "interruption: time_limit must be a positive number"),
        ({"time_limit": True}, "interruption: time_limit must be"),
        ({"signals": "SIGTERM"}, "interruption: signals must be a list of names"),
        (
            {"signals": ["SIGNO"]},
            "interruption: signals: 'SIGNO' is not a signal that can be watched",
        ),
        (
            {"signals": ["SIGKILL"]},
            "interruption: signals: 'SIGKILL' is not a signal that can be watched",
        ),
        ({"requeue": ["USR1"]}, r"interruption: requeue must be .*, got \['USR1'\]"),
        ({"requeue": 1.5}, "interruption: requeue must be"),
        ({"interval": 0}, "interruption: interval must be an integer of at least 1, got 0"),
        (3, "interruption must be a dict, not 3"),
    ],
)
def test_wrong_settings_are_refused_at_once(tmp_path: Path, settings: Any, told: str) -> None:
    with pytest.raises(RunnerConfigError, match=told):
        Runner.from_cfg(cases.job_of(tmp_path, True, interruption=settings))
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("11:50:00", 42600), ("1-00:00:01", 86401), ("90:00", 5400), (3, 3), ("01:30.5", 90.5)],
)
def test_forms_of_a_time_limit(tmp_path: Path, given: Any, seconds: float) -> None:
    from eng.runner.duration import seconds_of

    assert seconds_of("time_limit", given) == seconds


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rank", "phase", "number", "done"), [(1, "training", 2, 2), (0, "data", 14, 3)]
)
def test_all_processes_end_at_the_same_iteration(
    tmp_path: Path, rank: int, phase: str, number: int, done: int
) -> None:
    args = (str(tmp_path), rank, phase, number)
    first, second = run_in_processes(cases.train_in_group, 2, *args)
    assert first[:2] == second[:2] == (143, done)
    assert Path(first[2]).name == f"iter_{done}.pth"


# ---------------------------------------------------------------------- in children


def child(folder: Path, job: dict[str, Any], phase: str = "", number: int = 1) -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["eng.runner.runner", "torch._dynamo", "interruption_cases"])
    process = context.Process(target=cases.train_in_child, args=(folder, job, phase, number))
    process.start()
    return process


def wait_for(path: Path, process: Any) -> None:
    while not path.exists():
        assert process.is_alive(), f"ended with {process.exitcode} before the moment"
        time.sleep(0.005)


@pytest.mark.slow
def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    process = child(tmp_path, cases.job_of(tmp_path, True), "forever", 10)
    wait_for(tmp_path / "mark", process)
    process.terminate()
    time.sleep(0.5)
    assert process.is_alive()  # the iteration takes a minute
    process.terminate()
    process.join(30)
    assert process.exitcode == 143
    assert not (tmp_path / "work" / "iter_10.pth").exists()


@pytest.fixture(scope="module")
def whole_runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """By epochs without workers, and by iterations with two."""
    folders = [tmp_path_factory.mktemp("whole") for _ in range(2)]
    for kind, folder in enumerate(folders):
        process = child(folder, job_with_workers(folder, kind))
        process.join(60)
        assert process.exitcode == 0
    return folders


def job_with_workers(folder: Path, kind: int, **more: Any) -> dict[str, Any]:
    job = cases.job_of(folder, by_epoch=not kind, **more)
    job["train_dataloader"]["num_workers"] = 2 * kind
    return job


@pytest.mark.exact
@pytest.mark.timeout(900)
@pytest.mark.parametrize("phase", list(NUMBERS))
@pytest.mark.parametrize("name", SIGNALS)
def test_each_signal_in_each_phase_ten_times(
    tmp_path: Path, whole_runs: list[Path], name: str, phase: str
) -> None:
    number_of_signal = getattr(signal, name)
    moments = random.Random(name + phase)
    few = {"validation": 8, "evaluation": 2, "saving": 2, "data": 40}.get(phase, 20)
    few_of_worker = 16  # it reads half of an epoch, and a new one begins with each
    for number in range(10):
        kind, folder = number % 2, tmp_path / str(number)
        folder.mkdir()
        moment = moments.randint(1, few_of_worker if phase == "data" and kind else few)
        process = child(folder, job_with_workers(folder, kind), phase, moment)
        wait_for(folder / "mark", process)
        time.sleep(moments.random() * 0.2)
        os.kill(process.pid, number_of_signal)
        process.join(10)
        assert process.exitcode == 128 + number_of_signal
        resumed = child(folder, job_with_workers(folder, kind, resume=True))
        resumed.join(60)
        assert resumed.exitcode == 0
        assert cases.losses(folder) == cases.losses(whole_runs[kind])
        assert (folder / "weights").read_text() == (whole_runs[kind] / "weights").read_text()
