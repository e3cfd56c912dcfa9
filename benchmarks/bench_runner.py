"""Speed of eng.runner: what one iteration costs over the bare loop, with a tiny model.

A linear layer of 32 by 32, batches of 8, SGD, the default hooks and a log line every 10 iterations:
what is measured is the engine, not torch.
"""

import contextlib
import io
import tempfile
import time

import torch
from measure import report, run_all, summarize
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from eng.model import BaseModel
from eng.runner import Runner

SIZE, BATCH, LOG_EVERY = 32, 8, 10
WARM_UP, COUNTED, ROUNDS = 200, 1_000, 9
LIMIT = 2.0


class Tiny(BaseModel):
    """Notes when its forward pass begins, in the bare loop as well."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(SIZE, SIZE)
        self.times = []

    def forward(self, inputs, targets, mode="tensor"):
        self.times.append(time.perf_counter())
        return {"loss": F.mse_loss(self.linear(inputs), targets)}

    def seconds_an_iteration(self):
        return (self.times[-1] - self.times[WARM_UP]) / (len(self.times) - 1 - WARM_UP)


def make_loader():
    samples = BATCH * (WARM_UP + COUNTED + 1)
    generator = torch.Generator().manual_seed(0)
    pair = [torch.randn(samples, SIZE, generator=generator) for _ in range(2)]
    return DataLoader(TensorDataset(*pair), BATCH)


def train_bare():
    model, loader = Tiny(), make_loader()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for inputs, targets in loader:
        loss = model(inputs, targets)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.seconds_an_iteration()


def train_by_runner():
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        runner = Runner(
            model=Tiny(),
            work_dir=folder,
            train_dataloader=make_loader(),
            train_cfg={"by_epoch": True, "max_epochs": 1},
            optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.01}},
            default_hooks={"logger": {"type": "LoggerHook", "interval": LOG_EVERY}},
            experiment_name=f"bench_{time.monotonic_ns()}",
            log_level="INFO",
        )
        runner.train()
    return runner.model.seconds_an_iteration()


def iterate():
    torch.set_num_threads(1)
    ours, theirs = [], []
    for number in range(ROUNDS):
        turns = [(train_by_runner, ours), (train_bare, theirs)]
        for train, times in turns if number % 2 else reversed(turns):
            times.append(train())
    timed = summarize(ours, theirs)
    return report(
        "one iteration of a tiny model over the bare loop",
        timed.ratio,
        LIMIT,
        " times",
        f"{timed.more * 1e6:.0f} us more: {timed.ours * 1e6:.0f} us, "
        f"bare {timed.theirs * 1e6:.0f} us",
    )


if __name__ == "__main__":
    run_all(iterate)
