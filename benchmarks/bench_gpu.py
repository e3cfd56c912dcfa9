"""What the engine costs on a GPU: ResNet-50 in bfloat16, a tiny model, copies of batches, saving.

The same network object is trained by the bare loop and by the runner in turn. The batches of all
but the copies lie on the device already, so that nothing but the step is compared.

Needs a CUDA device, and torchvision for the ResNet.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from measure import report, run_all, take_turns
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from eng.checkpoint import save_checkpoint
from eng.model import BaseModel
from eng.runner import Runner

DEVICE = "cuda"
WARM_UP, COUNTED, ROUNDS = 10, 40, 5
SGD = {"optimizer": {"type": "SGD", "lr": 0.01, "momentum": 0.9}}
BF16 = {"type": "AmpOptimWrapper", "dtype": "bfloat16", **SGD}


class Classifier(BaseModel):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, inputs, targets, mode="tensor"):
        return {"loss": F.cross_entropy(self.net(inputs), targets)}


class Same:
    """Yields one batch on the device again and again, and notes when the counted ones begin."""

    def __init__(self, batch, count):
        self.batch, self.count = batch, count
        self.begun = 0.0

    def __len__(self):
        return self.count

    def __iter__(self):
        for number in range(self.count):
            if number == WARM_UP:
                torch.cuda.synchronize()
                self.begun = time.perf_counter()
            yield self.batch


def train_bare(model, loader, amp=True):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    model.train()
    for inputs, targets in loader:
        with torch.autocast(DEVICE, torch.bfloat16, enabled=amp):
            loss = model(inputs, targets, mode="loss")["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def train_by_runner(model, loader, amp=True):
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        Runner(
            model=model,
            work_dir=folder,
            train_dataloader=loader,
            train_cfg={"by_epoch": True, "max_epochs": 1},
            optim_wrapper=BF16 if amp else SGD,
            default_hooks={"checkpoint": None},
            experiment_name=f"gpu_{time.monotonic_ns()}",
        ).train()


def time_iteration(train, model, batch, count, amp):
    """Seconds of an iteration, without those of the warm-up."""
    loader = Same(batch, WARM_UP + count)
    train(model, loader, amp)
    torch.cuda.synchronize()
    return (time.perf_counter() - loader.begun) / count


def compare(model, batch, count=COUNTED, amp=True):
    """Seconds of an iteration of both, medians of rounds that take turns."""
    times = {train_bare: [], train_by_runner: []}
    for number in range(ROUNDS):
        order = list(times) if number % 2 else list(times)[::-1]
        for train in order:
            times[train].append(time_iteration(train, model, batch, count, amp))
    return median(times[train_bare]), median(times[train_by_runner])


def make_images(size):
    images = torch.randn(size, 3, 224, 224, device=DEVICE).contiguous(
        memory_format=torch.channels_last
    )
    return [images, torch.randint(1000, (size,), device=DEVICE)]


def make_resnet():
    from torchvision.models import resnet50

    return Classifier(resnet50().to(DEVICE, memory_format=torch.channels_last))


def resnet():
    model, batch = make_resnet(), make_images(256)
    bare, ours = compare(model, batch)
    print(f"ResNet-50, bf16, batches of 256: {256 / bare:.0f} images/s by the bare loop")
    kept = [report("ResNet-50, images/s to the bare loop", bare / ours, None, " times")]
    model.net.compile()
    bare, ours = compare(model, batch)
    print(f"compiled: {256 / bare:.0f} images/s by the bare loop")
    kept.append(report("compiled, images/s to the bare loop", bare / ours, None, " times"))
    return all(kept)


def tiny():
    model = Classifier(nn.Linear(32, 10).to(DEVICE))
    batch = [torch.randn(8, 32, device=DEVICE), torch.randint(10, (8,), device=DEVICE)]
    bare, ours = compare(model, batch, 1000, amp=False)
    print(f"tiny: {bare * 1e6:.0f} us by the bare loop")
    return report("a tiny model, over the bare loop", (ours - bare) * 1e6, 150, " us")


class Images(Dataset):
    def __init__(self, count):
        self.count = count
        self.image = torch.randn(3, 224, 224)

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return self.image, index % 1000


class Timed:
    """Notes when the counted iterations begin."""

    def __init__(self):
        self.begun, self.done = 0.0, 0

    def __call__(self, *_):
        self.done += 1
        if self.done == WARM_UP:
            torch.cuda.synchronize()
            self.begun = time.perf_counter()


def copy_ahead():
    """Images a second from workers, copied by the step or ahead of it."""
    size, count = 256, 40
    model = make_resnet()
    found = {}
    for _ in range(3):
        for is_ahead in (False, True):
            loader = DataLoader(
                Images(size * (WARM_UP + count)), size, num_workers=12, pin_memory=True
            )
            loader.prefetch_to_device = is_ahead
            timed = Timed()
            handle = model.net.register_forward_pre_hook(timed)
            train_by_runner(model, loader)
            torch.cuda.synchronize()
            handle.remove()
            took = (time.perf_counter() - timed.begun) / count
            found.setdefault(is_ahead, []).append(size / took)
    without, ahead = (median(found[key]) for key in (False, True))
    print(f"copied by the step {without:.0f} images/s, ahead {ahead:.0f} images/s")
    return report("copies ahead, images/s to copies by the step", ahead / without, None, " times")


def save():
    """How long a save of 1 GB of weights on the device holds the loop."""
    from eng.checkpoint.background import SnapshotBuffers, snapshot

    state = {f"w{n}": torch.randn(2**28 // 20, device=DEVICE) for n in range(20)}
    buffers = SnapshotBuffers()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "a.pth"))
        timed = take_turns(
            {
                "save": lambda: save_checkpoint(state, path),
                "snapshot": lambda: snapshot(state, buffers),
                "new memory": lambda: {k: v.cpu() for k, v in state.items()},
            },
            4,
        )
    whole, copied, new = (median(each[1:]) for each in timed.values())
    print(
        f"saving 1 GB: {whole:.2f} s; to the host {copied * 1e3:.0f} ms, by cpu() {new * 1e3:.0f}"
    )
    return report("a save in the background, loop held to a save", copied / whole, None, " times")


if __name__ == "__main__":
    if not torch.cuda.is_available():
        sys.exit("bench_gpu.py needs a CUDA device")
    print(torch.cuda.get_device_name(), torch.__version__)
    torch.backends.cudnn.benchmark = True
    run_all(tiny, resnet, copy_ahead, save)
