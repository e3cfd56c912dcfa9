"""Models and data of the tests of the batch finder, which its processes import."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import torch
from torch import nn

from eng.model import BaseModel

#: Numbers of float32 of each sample inside of the model.
WIDTH = 2**20


class Ones(torch.utils.data.Dataset):
    def __init__(self, length: int = 10_000) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"inputs": torch.ones(1)}


class Wide(BaseModel):
    """Keeps 4 MiB of each sample for the backward pass, and needs up to six times as much."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, inputs: Any, mode: str = "tensor") -> Any:
        hidden = (inputs * self.weight).expand(-1, WIDTH) * 2.0
        return {"loss": hidden.square().mean()}


class Broken(Wide):
    """Fails for another reason than memory."""

    def forward(self, inputs: Any, mode: str = "tensor") -> Any:
        raise ValueError("shapes do not match")


class Killed(Wide):
    """Its process is ended from outside with more than four samples, as by the system."""

    def forward(self, inputs: Any, mode: str = "tensor") -> Any:
        if len(inputs) > 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"loss": (inputs * self.weight).mean()}


class Counting(Wide):
    """Writes the size of its batches, and whether there is a state of the optimizer."""

    def train_step(self, data: Any, optim_wrapper: Any) -> Any:
        state = bool(optim_wrapper.optimizer.state)
        with Path(os.environ["BATCH_FIND_STEPS"]).open("a") as steps:
            waiting = self.weight.grad is not None and bool(self.weight.grad.any())
            steps.write(f"{len(data['inputs'])} {state} {waiting}\n")
        return super().train_step(data, optim_wrapper)
