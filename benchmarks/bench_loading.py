"""Loading of data by a run, to a plain DataLoader: images a second, first batches, indices.

Two worker processes decode JPEGs of 500 by 375 pixels, crop, resize, flip and normalize them, as in
training on ImageNet; the model takes next to no time. Both loops train in turn in one process.
"""

import contextlib
import io
import os
import tempfile
import time
from math import sqrt
from statistics import median, quantiles

import numpy as np
import torch
from measure import report, report_ratio, run_all, summarize, take_turns
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, RandomSampler

from eng.dataset import DefaultSampler
from eng.model import BaseModel
from eng.runner import Runner

BATCH, BATCHES, EPOCHS = 16, 60, 3
#: Batches of an epoch that are not counted: the first ones were prepared ahead.
AHEAD = 8
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "9"))
INDICES = 100_000
NO_HOOKS = dict.fromkeys(
    ["runtime_info", "timer", "sampler_seed", "logger", "param_scheduler", "checkpoint"]
)


class Images(Dataset):
    """JPEGs in memory, of smooth shapes with some noise."""

    def __init__(self):
        random = np.random.default_rng(0)
        self.files = []
        for _ in range(8):
            small = Image.fromarray(random.integers(0, 256, (12, 16, 3), np.uint8))
            pixels = np.asarray(small.resize((500, 375), Image.Resampling.BICUBIC), np.int16)
            noisy = (pixels + random.integers(-8, 9, pixels.shape)).clip(0, 255).astype(np.uint8)
            file = io.BytesIO()
            Image.fromarray(noisy).save(file, "jpeg", quality=90)
            self.files.append(file.getvalue())

    def __len__(self):
        return BATCH * BATCHES

    def __getitem__(self, index):
        image = Image.open(io.BytesIO(self.files[index % 8])).convert("RGB")
        left, top = int(torch.randint(0, 200, ())), int(torch.randint(0, 75, ()))
        box = (left, top, left + 300, top + 300)
        image = image.resize((224, 224), Image.Resampling.BILINEAR, box)
        if torch.rand(()) < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        values = (np.asarray(image, np.float32) - 127.5) / 58.0
        return torch.from_numpy(values.transpose(2, 0, 1).copy()), index % 10


class Loader(DataLoader):
    """Notes when it is opened."""

    def __iter__(self):
        self.opened = [*getattr(self, "opened", []), time.perf_counter()]
        return super().__iter__()


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


def make_loader(is_persistent, **settings):
    return Loader(Images(), BATCH, num_workers=2, persistent_workers=is_persistent, **settings)


def train_bare(is_persistent):
    model, loader = Small(), make_loader(is_persistent, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(EPOCHS):
        for inputs, targets in loader:
            model(inputs, targets)["loss"].backward()
            optimizer.step()
            optimizer.zero_grad()
    return split(model.times, loader.opened)


def train_by_runner(is_persistent):
    sampler = DefaultSampler(range(BATCH * BATCHES), shuffle=True, seed=0)
    model, loader = Small(), make_loader(is_persistent, sampler=sampler)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        runner = Runner(
            model=model,
            work_dir=folder,
            train_dataloader=loader,
            train_cfg={"by_epoch": True, "max_epochs": EPOCHS},
            optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.01}},
            default_hooks=NO_HOOKS,
            experiment_name=f"loading_{time.monotonic_ns()}",
        )
        runner.train()
    return split(model.times, loader.opened)


def split(times, opened):
    """Seconds of the counted batches of all epochs, and from opening the data to a first batch."""
    epochs = [times[number : number + BATCHES] for number in range(0, len(times), BATCHES)]
    counted = sum(each[-1] - each[AHEAD] for each in epochs)
    return counted, median(each[0] - at for each, at in zip(epochs[1:], opened[1:], strict=True))


def load():
    kept = []
    for is_persistent in (False, True):
        found = {train_by_runner: [], train_bare: []}
        for number in range(ROUNDS):
            for train in sorted(found, key=lambda each, n=number: (each is train_bare) ^ n & 1):
                found[train].append(train(is_persistent))
        ours, bare = (list(zip(*each, strict=True)) for each in found.values())
        kind = "persistent workers" if is_persistent else "workers"
        counted, first = (summarize(*pair) for pair in zip(ours, bare, strict=True))
        low, _, high = quantiles([a / b for a, b in zip(bare[0], ours[0], strict=True)])
        error = (high - low) / sqrt(ROUNDS)  # about that of the median
        rate = EPOCHS * (BATCHES - 1 - AHEAD) * BATCH / counted.theirs
        detail = f"limit 0.98 give or take {error:.2f}; {rate:.0f} a second by a plain DataLoader"
        what = f"images a second from {kind}, to a plain DataLoader"
        kept.append(report(what, 1 / counted.ratio, 0.98 - error, " times", detail, at_least=True))
        what = f"first batch of an epoch from {kind}"
        kept.append(report_ratio(what, first, 1.05, "a plain DataLoader"))
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
