"""Models that processes build in parts, by the runner."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.distributed.tensor import DTensor
from torch.nn import functional

from eng.dist import barrier
from eng.model import BaseModel, BaseModule
from eng.registry import DATASETS, MODELS
from eng.runner import Runner

#: Whether a large parameter was on the meta device when its constructor had ended.
SEEN = []


class Part(BaseModule):
    def __init__(self, width):
        super().__init__(init_cfg={"type": "Xavier", "layer": "Linear"})
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        nn.init.trunc_normal_(self.up.weight, std=0.02)

    def forward(self, x):
        return x + self.down(torch.relu(self.up(x)))


@MODELS.register_module(force=True)
class Parts(BaseModel):
    def __init__(self, late=None):
        super().__init__()
        self.parts = nn.ModuleList(Part(128) for _ in range(2))
        self.head = nn.Linear(128, 1)
        if late is not None:  # values of a tensor that is changed after they were used
            self.table, source = nn.Parameter(torch.empty(90_000)), torch.arange(90_000.0)
            self.table.data.copy_(source)
            source.zero_()
            if late == "read":
                self.total = float(self.table.sum())
        SEEN.append(type(self.head.weight) is nn.Parameter and _is_meta(self.parts[0].up.weight))

    def forward(self, inputs, data_samples=None, mode="tensor"):
        for part in self.parts:
            inputs = part(inputs)
        return {"loss": functional.mse_loss(self.head(inputs), data_samples)}


def _is_meta(tensor):
    # As its storage says: the tensor itself says what it will be.
    return tensor.untyped_storage().device.type == "meta"


@DATASETS.register_module(force=True)
def waves():
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(32, 128, generator=generator)
    return [{"inputs": x, "data_samples": x[:1].sin()} for x in inputs]


def build_and_train(parallel, batch_size, **model):
    """Return values at the start and the end, what was seen, and the log of the process."""
    torch.set_num_threads(1)
    SEEN.clear()
    is_alone = "WORLD_SIZE" not in os.environ
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner.from_cfg(
            {
                "model": {"type": "Parts", **model},
                "work_dir": folder,
                "launcher": "none" if is_alone else "pytorch",
                "env_cfg": {"dist_cfg": {"backend": "gloo"}},
                "randomness": {"seed": 3},
                "train_dataloader": {
                    "batch_size": batch_size,
                    "dataset": {"type": "waves"},
                    "sampler": {"type": "DefaultSampler"},
                    "collate_fn": {"type": "default_collate"},
                },
                "train_cfg": {"by_epoch": True, "max_epochs": 1},
                "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.1}},
                "default_hooks": {"checkpoint": None},
                "parallel": parallel,
            }
        )
        start = gather(runner.model)
        runner.train()
        log = "".join(path.read_text() for path in Path(runner.log_dir).glob("*.log"))
        barrier()  # the folder of the first process, which removes it, is that of all
    end = gather(runner.model)
    barrier()  # a process that ends may still owe another one its part
    return start, end, list(SEEN), log


def gather(model):
    found = {}
    for name, tensor in model.named_parameters():
        whole = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
        found[name.removeprefix("module.")] = whole.detach().clone()
    return found
