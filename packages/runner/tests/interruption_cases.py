"""Runs that are interrupted, in this process or in children."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path
from typing import Any

import torch
from runner_workers import LossFile, PlaneData, plane_job

from eng.dist import get_rank
from eng.evaluator import BaseMetric
from eng.hooks import Hook
from eng.registry import DATASETS, METRICS
from eng.runner import Runner, TrainingInterrupted

PHASES = ("training", "validation", "evaluation", "saving", "data")


class Moment:
    """A moment of a run, at which something is done once."""

    def __init__(self, phase: str = "", number: int = 1, act: Any = None) -> None:
        self.phase, self.left, self.act = phase, number, act

    def reached(self, phase: str) -> None:
        if phase == self.phase:
            self.left -= 1
            if self.left == 0:
                self.act()


class Raise:
    """Sends a signal to the own process and, where it does not break off, goes on."""

    def __init__(self, name: str) -> None:
        self.number = getattr(signal, name)

    def __call__(self) -> None:
        signal.raise_signal(self.number)


class Wait:
    """Tells by a file that it has begun, and takes its time."""

    def __init__(self, mark: Path, seconds: float) -> None:
        self.mark, self.seconds = mark, seconds

    def __call__(self) -> None:
        self.mark.touch()
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            time.sleep(0.01)


moment = Moment()


@DATASETS.register_module(force=True)
class NoisyPlane(PlaneData):
    """Draws random numbers of all kinds before it may be interrupted."""

    def __getitem__(self, index: int) -> dict[str, Any]:
        noise = random.random() + float(torch.rand(()))
        moment.reached("data")
        sample = super().__getitem__(index)
        return {**sample, "inputs": sample["inputs"] + 0.01 * noise}


@METRICS.register_module(force=True)
class Count(BaseMetric):
    """Draws random numbers, as a metric that samples does."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        moment.reached("validation")
        self.results.extend([random.random()] * len(data_samples))

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        moment.reached("evaluation")
        return {"count": float(len(results))}


class Stages(Hook):
    """Reaches the moments of training and saving."""

    def after_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        moment.reached("training")
        moment.reached("forever")

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        moment.reached("saving")


def job_of(folder: Path, by_epoch: bool, **more: Any) -> dict[str, Any]:
    """Config of 24 iterations with validations, averaged weights and random numbers everywhere."""
    job = plane_job(folder / "work", **more)
    job["train_dataloader"]["dataset"] = {"type": "NoisyPlane"}
    job["val_dataloader"] = {
        "batch_size": 8,
        "dataset": {"type": "PlaneData"},
        "collate_fn": {"type": "default_collate"},
    }
    job.update(val_cfg={}, val_evaluator={"type": "Count"})
    job["custom_hooks"] = [{"type": "EMAHook"}]
    if by_epoch and "default_hooks" not in more:
        job["default_hooks"]["checkpoint"] = {"type": "CheckpointHook", "interval": 1}
    if not by_epoch:
        job["train_cfg"] = {"by_epoch": False, "max_iters": 24, "val_interval": 5}
    return job


def build(folder: Path, job: dict[str, Any]) -> Runner:
    """A runner with its losses in a file."""
    runner = Runner.from_cfg(job)
    folder.mkdir(exist_ok=True)
    runner.register_hook(LossFile(folder / f"losses_{get_rank()}.txt"))
    runner.register_hook(Stages())
    return runner


def losses(folder: Path, rank: int = 0) -> dict[str, str]:
    """Losses by iteration. One that was trained twice must be the same both times."""
    seen: dict[str, str] = {}
    for line in (folder / f"losses_{rank}.txt").read_text().splitlines():
        number, loss = line.split()
        assert seen.setdefault(number, loss) == loss, f"iteration {number} after a resume"
    return seen


def weights(runner: Runner) -> list[str]:
    """The weights, to the bit."""
    return [float(x).hex() for p in runner.model.state_dict().values() for x in p.flatten()]


def train_in_child(folder: Path, job: dict[str, Any], phase: str, number: int) -> None:
    """Train, and take time at a moment; or, without one, to the end."""
    # A server of forks that began in the background, as by nohup, has its children ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # What cannot be broken off anywhere ends soon.
    seconds = 60 if phase in ("data", "evaluation", "forever") else 0.5
    moment.__init__(phase, number, Wait(folder / "mark", seconds))  # type: ignore[misc]
    runner = build(folder, job)
    runner.train()
    (folder / "weights").write_text("\n".join(weights(runner)))


def train_in_group(folder: str, rank: int, phase: str, number: int) -> tuple[int, int, Any]:
    """In a group: exit status, iterations done, and the newest checkpoint; a signal at one rank."""
    act = Raise("SIGTERM") if get_rank() == rank else lambda: None
    moment.__init__(phase, number, act)  # type: ignore[misc]
    runner = build(Path(folder), job_of(Path(folder), by_epoch=False, launcher="pytorch"))
    try:
        runner.train()
    except TrainingInterrupted as interrupted:
        return interrupted.status, runner.iter, interrupted.checkpoint
    return 0, runner.iter, None
