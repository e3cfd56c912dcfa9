"""Runs whose memory does not suffice for their batches."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import torch
from runner_workers import PlaneModel, plane_job
from torch import Tensor, nn
from torch.nn import functional

from eng.dist import get_rank
from eng.hooks import Hook
from eng.model import BaseModel
from eng.registry import MODELS
from eng.runner import Runner

MESSAGE = "CUDA out of memory. Tried to allocate 2.00 GiB"


class Refusing(torch.autograd.Function):
    """Runs out of memory in the backward pass of more samples than it is said to hold."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, capacity: int) -> Tensor:
        ctx.capacity = capacity
        return x * 1.0

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        if len(gradient) > ctx.capacity:
            raise torch.OutOfMemoryError(MESSAGE)
        return gradient, None


@MODELS.register_module(force=True)
class TightModel(PlaneModel):
    """Holds some samples at a time, from an iteration on."""

    capacity, within, dropout, begin, calls = 100, "forward", 0.0, 0, 0

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        self.net[1].p = self.dropout
        self.calls += 1
        capacity = self.capacity if self.calls > self.begin else 100
        hidden = self.net[0](inputs)
        if self.within == "forward" and len(inputs) > capacity:
            raise RuntimeError(MESSAGE)
        if self.within == "backward":  # after the gradients of the last layer are there
            hidden = Refusing.apply(hidden, capacity)
        out = self.net[1:](hidden).flatten()
        assert len(out) == len(data_samples)
        return {"loss": functional.mse_loss(out, data_samples), "half": out.mean() / 2}


class Losses(Hook):
    """Collects losses and gradients of the iterations."""

    priority = "LOWEST"

    def __init__(self) -> None:
        self.values: list[float] = []

    def after_train_iter(self, runner: Any, *args: Any, outputs: Any = None, **kwargs: Any) -> None:
        self.values += [float(outputs["loss"]), float(outputs["half"])]


def train(folder: Path, model: dict[str, Any], size: int | None = None, **more: Any) -> Any:
    """Train, and return losses, weights, the log, and the size of micro-batches."""
    job = plane_job(folder, **more)
    job["model"]["type"] = "TightModel"
    runner = Runner.from_cfg(job)
    bare = getattr(runner.model, "module", runner.model)
    for name, value in model.items():
        setattr(bare, name, value)
    losses = Losses()
    runner.register_hook(losses)
    if size is not None:
        from eng.optim import MicroBatches

        runner._prepare_training()
        runner.optim_wrapper.micro_batches = MicroBatches()
        runner.optim_wrapper.micro_batches.size = size
    runner.train()
    weights = torch.cat([p.detach().flatten().cpu() for p in bare.parameters()])
    micro = runner.optim_wrapper.micro_batches
    log = "".join(path.read_text() for path in sorted(Path(runner.log_dir).glob("*.log")))
    return losses.values, weights, log, None if micro is None else micro.size


def train_in_group(folder: str, on_oom: str, capacities: list[int], counts: int) -> Any:
    """In a group: losses, weights, and the size of micro-batches."""
    model = {"capacity": capacities[get_rank()], "within": "backward"}
    optim_wrapper = {
        "optimizer": {"type": "SGD", "lr": 0.05, "momentum": 0.9},
        "accumulative_counts": counts,
    }
    losses, weights, _, size = train(
        Path(folder), model, on_oom=on_oom, optim_wrapper=optim_wrapper, launcher="pytorch"
    )
    return losses, weights.tolist(), size


class WideModel(BaseModel):
    """Needs some 24 MiB for each sample."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(4, 1)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        hidden = self.net(inputs).expand(-1, 2**20) * 2.0
        return {"loss": (hidden.mean(1) - data_samples).square().mean(), "half": hidden.sum() * 0}


def train_within(folder: str, limit: int | None) -> Any:
    """Train with an address space that is limited to some bytes more than now."""
    job = plane_job(Path(folder), on_oom="shrink")
    job["model"] = {"type": WideModel}
    job["train_dataloader"]["batch_size"] = 32
    runner = Runner.from_cfg(job)
    losses = Losses()
    runner.register_hook(losses)
    runner._prepare_training()
    if limit is not None:
        present = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (present + limit, hard))
    runner.train()
    return losses.values, runner.optim_wrapper.micro_batches.size
