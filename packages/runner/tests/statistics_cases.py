"""Runs of which one process is slow."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from eng.dist import get_rank
from eng.model import BaseModel
from eng.runner import Runner

#: Seconds that the slow process takes longer for an iteration.
SLEEP = 0.1


class Numbers(Dataset[dict[str, Tensor]]):
    def __init__(self, sleep: float = 0.0) -> None:
        self.sleep = sleep

    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        time.sleep(self.sleep)
        return {"inputs": torch.full((2,), float(index))}


class Net(BaseModel):
    def __init__(self, sleep: float = 0.0) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3))
        self.head = nn.Linear(3, 1)
        self.sleep = sleep

    def forward(self, inputs: Any, mode: str = "tensor") -> Any:
        time.sleep(self.sleep)
        return {"loss": self.head(self.backbone(inputs)).square().mean()}


def build(work_dir: Path | str, hook: Any, data: float = 0, compute: float = 0, **more: Any) -> Any:
    settings: dict[str, Any] = {
        "train_dataloader": {
            "batch_size": 2,
            "dataset": Numbers(data / 2),
            "sampler": {"type": "DefaultSampler"},
            "collate_fn": {"type": "default_collate"},
        },
        "train_cfg": {"by_epoch": True, "max_epochs": 1},
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.001}},
        "custom_hooks": [hook],
        "randomness": {"seed": 1},
        **more,
    }
    return Runner(Net(compute), str(work_dir), **settings)


def train_with_a_slow_rank(folder: str, what: str) -> str:
    """Train in one of several processes, and return the log of the first."""
    sleep = {what: SLEEP} if get_rank() == 1 else {}
    hook = {"type": "SlowRankHook", "interval": 4}
    more = {"launcher": "pytorch", "env_cfg": {"dist_cfg": {"backend": "gloo"}}}
    runner = build(folder, hook, **sleep, **more)
    runner.train()
    if get_rank():
        return ""
    return Path(runner.log_dir, f"{runner.timestamp}.log").read_text()
