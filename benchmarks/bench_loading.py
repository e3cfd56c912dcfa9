"""Loading of data by a run, to a plain DataLoader: images a second, first batches, indices.

Two worker processes prepare images, each in about three milliseconds, as decoding and augmenting
one takes; the model takes next to no time. Both loops train in turn within one process.
"""

import contextlib
import io
import os
import tempfile
import time
from itertools import pairwise
from statistics import median

import numpy as np
import torch
from measure import report, report_ratio, run_all, summarize, take_turns
from torch import nn
from torch.utils.data import DataLoader, Dataset, RandomSampler

from eng.dataset import DefaultSampler
from eng.model import BaseModel
from eng.runner import Runner

BATCH, BATCHES, EPOCHS = 16, 24, 4
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "9"))
INDICES = 100_000
NO_HOOKS = dict.fromkeys(
    ["runtime_info", "timer", "sampler_seed", "logger", "param_scheduler", "checkpoint"]
)


class Images(Dataset):
    """Random crops that are flipped and normalized, of images in memory."""

    def __init__(self):
        self.images = np.random.default_rng(0).integers(0, 256, (8, 256, 256, 3), np.uint8)

    def __len__(self):
        return BATCH * BATCHES

    def __getitem__(self, index):
        top, left = torch.randint(0, 32, (2,)).tolist()
        image = self.images[index % 8, top : top + 224, left : left + 224]
        if torch.rand(()) < 0.5:
            image = image[:, ::-1]
        for _ in range(3):
            values = (np.ascontiguousarray(image, np.float32) - 127.5) / 58.0
        return torch.from_numpy(values.transpose(2, 0, 1).copy()), index % 10


class Small(BaseModel):
    """Notes when its forward pass begins, in the bare loop as well."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 10)
        self.times = []

    def forward(self, inputs, targets, mode="tensor"):
        self.times.append(time.perf_counter())
        logits = self.layer(inputs[:, :, 0, 0])
        return {"loss": nn.functional.cross_entropy(logits, targets)}


def train_bare(is_persistent):
    model = Small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loader = DataLoader(
        Images(), BATCH, shuffle=True, num_workers=2, persistent_workers=is_persistent
    )
    for _ in range(EPOCHS):
        for inputs, targets in loader:
            model(inputs, targets)["loss"].backward()
            optimizer.step()
            optimizer.zero_grad()
    return model.times


def train_by_runner(is_persistent):
    model = Small()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        runner = Runner(
            model=model,
            work_dir=folder,
            train_dataloader={
                "batch_size": BATCH,
                "num_workers": 2,
                "persistent_workers": is_persistent,
                "sampler": {"type": "DefaultSampler", "shuffle": True},
                "collate_fn": {"type": "default_collate"},
                "dataset": Images(),
            },
            train_cfg={"by_epoch": True, "max_epochs": EPOCHS},
            optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.01}},
            default_hooks=NO_HOOKS,
            experiment_name=f"loading_{time.monotonic_ns()}",
        )
        runner.train()
    return model.times


def split(times):
    """Seconds between the first and the last batch of an epoch, and to the next first one."""
    epochs = [times[number : number + BATCHES] for number in range(0, len(times), BATCHES)]
    within = [each[-1] - each[0] for each in epochs]
    between = [after[0] - before[-1] for before, after in pairwise(epochs)]
    return median(within), median(between)


def load():
    kept = []
    for is_persistent in (False, True):
        found = {train_by_runner: [], train_bare: []}
        for number in range(ROUNDS):
            for train in sorted(found, key=lambda each, n=number: (each is train_bare) ^ n & 1):
                found[train].append(split(train(is_persistent)))
        ours, bare = (list(zip(*each, strict=True)) for each in found.values())
        kind = "persistent workers" if is_persistent else "workers"
        within, between = (summarize(*pair) for pair in zip(ours, bare, strict=True))
        rate = (BATCHES - 1) * BATCH / within.theirs
        speed = f"{rate:.0f} a second by a plain DataLoader"
        what = f"images a second from {kind}, to a plain DataLoader"
        kept.append(report(what, 1 / within.ratio, 0.98, " times", speed, at_least=True))
        what = f"first batch of an epoch from {kind}"
        kept.append(report_ratio(what, between, 1.05, "a plain DataLoader"))
    return all(kept)


def sample():
    """Microseconds of an index of DefaultSampler over one of torch's sampler."""
    ours = DefaultSampler(range(INDICES), shuffle=True, seed=0)
    theirs = RandomSampler(range(INDICES))
    calls = {"ours": lambda: sum(1 for _ in ours), "theirs": lambda: sum(1 for _ in theirs)}
    timed = summarize(**take_turns(calls, ROUNDS))
    over = timed.more / INDICES * 1e6
    return report("an index of DefaultSampler over torch's", over, 0.7, " us")


if __name__ == "__main__":
    torch.set_num_threads(1)
    run_all(load, sample)
