"""Children that train until they are killed inside a save."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset

from eng.evaluator import BaseMetric
from eng.hooks import Hook
from eng.model import BaseModel
from eng.registry import DATASETS, METRICS, MODELS
from eng.runner import Runner


@DATASETS.register_module(force=True)
class KilledData(Dataset):
    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"inputs": torch.full((4,), index / 40.0), "data_samples": torch.tensor([index % 3])}


@MODELS.register_module(force=True)
class KilledModel(BaseModel):
    """Small to train, and large enough that a save takes a while."""

    def __init__(self, ballast: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.4), nn.Linear(8, 1))
        self.register_buffer("ballast", torch.arange(float(ballast)))

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        out = self.net(inputs)
        if mode == "predict":
            return [{"error": float(each)} for each in (out - data_samples).abs()]
        self.ballast.add_(1)
        return {"loss": (out - data_samples).square().mean()} if mode == "loss" else out


@METRICS.register_module(force=True)
class KilledError(BaseMetric):
    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.extend(sample["error"] for sample in data_samples)

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return {"loss": sum(results) / len(results)}


class Announcing(Hook):
    """Tells the parent of each save at its beginning."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        os.write(self.pipe, checkpoint["meta"]["iter"].to_bytes(4, "big"))


def killed_job(work_dir: Path, ballast: int, **checkpoint: Any) -> dict[str, Any]:
    loader = {
        "batch_size": 4,
        "dataset": {"type": "KilledData"},
        "sampler": {"type": "DefaultSampler", "shuffle": True},
        "collate_fn": {"type": "default_collate"},
    }
    job = {
        "work_dir": str(work_dir),
        "model": {"type": "KilledModel", "ballast": ballast},
        "train_dataloader": loader,
        "train_cfg": {"by_epoch": False, "max_iters": 300, "val_interval": 7},
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.001}},
        "randomness": {"seed": 3},
        "resume": True,
        "log_level": "WARNING",
        "default_hooks": {
            "checkpoint": {
                "type": "CheckpointHook",
                "interval": 1,
                "by_epoch": False,
                "max_keep_ckpts": 2,
                **checkpoint,
            }
        },
    }
    if "save_best" in checkpoint:
        job.update(val_dataloader=loader, val_cfg={}, val_evaluator={"type": "KilledError"})
    return job


def train(job: dict[str, Any], *hooks: Hook) -> Runner:
    runner = Runner.from_cfg(job)
    for hook in hooks:
        runner.register_hook(hook)
    runner.train()
    return runner


def kill_inside_a_save(job: dict[str, Any], dice: random.Random, longest: float) -> int | None:
    """Train in a child and kill it within ``longest`` seconds of the beginning of a save.

    Returns:
        Iterations that the save is of; None where the child came to its end before.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            train(job, Announcing(writer))
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    iteration = 0
    for _ in range(dice.randint(1, 4)):
        told = os.read(reader, 4)
        iteration = int.from_bytes(told, "big") if told else iteration
    time.sleep(dice.random() * longest)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    while told := os.read(reader, 4):  # what it began in the meantime
        iteration = int.from_bytes(told, "big")
    os.close(reader)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0, "the child failed before it was killed"
        return None
    return iteration


def time_of(function: Callable[[], Any]) -> float:
    start = time.monotonic()
    function()
    return time.monotonic() - start
