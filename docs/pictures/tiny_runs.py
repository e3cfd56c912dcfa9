"""Runs of the tiny job of the pages, and their losses."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from eng.config import Config
from eng.hooks import Hook, HookRunner
from eng.runner import Runner, TrainingInterrupted
from eng.utils import override

PROGRAMS = Path(__file__).parents[1] / "programs"


class Losses(Hook):
    """Keeps the loss of each iteration, and interrupts training at one."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.losses: dict[int, float] = {}
        self.stop_at = stop_at

    @override
    def after_train_iter(
        self, runner: HookRunner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        self.losses[runner.iter + 1] = outputs["loss"].item()
        if runner.iter + 1 == self.stop_at:
            os.kill(os.getpid(), signal.SIGINT)


def tiny_config(work_dir: Path, **settings: Any) -> Config:
    """The config of the pages, with other settings."""
    if str(PROGRAMS) not in sys.path:
        sys.path.insert(0, str(PROGRAMS))
    cfg = Config.fromfile(PROGRAMS / "config.py")
    cfg.work_dir = str(work_dir)
    cfg.merge_from_dict(settings)
    return cfg


def train(work_dir: Path, *, stop_at: int | None = None, **settings: Any) -> dict[int, float]:
    """Train the tiny job; return the losses by iteration."""
    runner = Runner.from_cfg(tiny_config(work_dir, **settings))
    seen = Losses(stop_at)
    runner.register_hook(seen)
    with contextlib.suppress(TrainingInterrupted):
        runner.train()
    return seen.losses
