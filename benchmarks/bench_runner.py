"""What the engine costs over the bare loop: an iteration, a line of the log, a validation, a save.

A linear layer of 32 by 32, batches of 8, SGD: what is measured is the engine, not torch. All
set-ups train in turn within one process, and are compared position by position: the median of the
rounds at each iteration, so that a busy moment of the machine counts for nothing.

Lightning and Accelerate train the same model where they are installed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import mean, median

import torch
from measure import compare, report, run_all
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset

from eng.checkpoint import save_checkpoint
from eng.config import Config
from eng.evaluator import BaseMetric
from eng.model import BaseModel
from eng.registry import DATASETS, METRICS, MODELS
from eng.runner import Runner

SIZE, BATCH, LOG_EVERY = 32, 8, 10
WARM_UP, COUNTED = 100, 600
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "9"))
ITERATIONS = WARM_UP + COUNTED
NO_HOOKS = dict.fromkeys(
    ["runtime_info", "timer", "sampler_seed", "logger", "param_scheduler", "checkpoint"]
)
SGD = {"optimizer": {"type": "SGD", "lr": 0.01}}
MASS = 1e6


@MODELS.register_module()
class Tiny(BaseModel):
    """Notes when its forward pass begins, in the bare loop as well."""

    def __init__(self, modules=0):
        super().__init__()
        self.linear = nn.Linear(SIZE, SIZE)
        self.unused = nn.ModuleList(nn.Identity() for _ in range(modules))
        self.times = []

    def forward(self, inputs, targets, mode="tensor"):
        self.times.append(time.perf_counter())
        out = self.linear(inputs)
        return [out] if mode == "predict" else {"loss": F.mse_loss(out, targets)}


@DATASETS.register_module()
class Pairs(Dataset):
    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        samples = BATCH * (ITERATIONS + 1)
        self.tensors = [torch.randn(samples, SIZE, generator=generator) for _ in range(2)]

    def __len__(self):
        return len(self.tensors[0])

    def __getitem__(self, index):
        return tuple(tensor[index] for tensor in self.tensors)


@METRICS.register_module()
class Nothing(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return {"nothing": 0.0}


def make_loader():
    return DataLoader(TensorDataset(*Pairs().tensors), BATCH)


# ------------------------------------------------------------------ bare loops


def train_bare(before=contextlib.nullcontext, clip=False, every=1, ema=False):
    def train():
        model, loader = Tiny(), make_loader()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        averaged = [parameter.detach().clone() for parameter in model.parameters()]
        for number, (inputs, targets) in enumerate(loader, 1):
            with before():
                loss = model(inputs, targets)["loss"]
            (loss / every).backward() if every > 1 else loss.backward()
            if number % every == 0:
                if clip:
                    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
            if ema:
                torch._foreach_lerp_(averaged, [p.detach() for p in model.parameters()], 0.0002)
        return model.times

    return train


def validate_bare():
    model, loader = Tiny().eval(), make_loader()
    with torch.no_grad():
        for inputs, targets in loader:
            model(inputs, targets, mode="predict")
    return model.times


def bf16():
    return torch.autocast("cpu", torch.bfloat16)


# ------------------------------------------------------------------ by the runner


def make_runner(folder, model=None, **settings):
    defaults = {
        "train_dataloader": make_loader(),
        "train_cfg": {"by_epoch": True, "max_epochs": 1},
        "optim_wrapper": SGD,
        "default_hooks": {"logger": {"type": "LoggerHook", "interval": LOG_EVERY}},
        "experiment_name": f"bench_{time.monotonic_ns()}",
    }
    return Runner(model=model or Tiny(), work_dir=folder, **{**defaults, **settings})


def train_by_runner(modules=0, **settings):
    def train():
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            runner = make_runner(folder, Tiny(modules), **settings)
            runner.train()
        return runner.model.times

    return train


def train_from_config():
    loader = {
        "batch_size": BATCH,
        "dataset": {"type": "Pairs"},
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "collate_fn": {"type": "default_collate"},
    }
    return train_by_runner(train_dataloader=Config({"loader": loader}).loader)()


def validate_by_runner():
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        runner = make_runner(
            folder,
            train_dataloader=None,
            train_cfg=None,
            optim_wrapper=None,
            default_hooks={"logger": {"type": "LoggerHook", "interval": 10 * ITERATIONS}},
            val_dataloader=make_loader(),
            val_cfg={},
            val_evaluator={"type": "Nothing"},
        )
        runner.val()
    return runner.model.times


def by_iterations(**settings):
    return train_by_runner(
        train_cfg={"by_epoch": False, "max_iters": ITERATIONS + 1},
        log_processor={"by_epoch": False},
        default_hooks={
            "logger": {"type": "LoggerHook", "interval": LOG_EVERY},
            "checkpoint": {"type": "CheckpointHook", "interval": 10**6, "by_epoch": False},
        },
        **settings,
    )


# ------------------------------------------------------------------ other engines


def train_by_accelerate():
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    model, loader = Tiny(), make_loader()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    wrapped, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    for inputs, targets in loader:
        loss = wrapped(inputs, targets)["loss"]
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
    return model.times


def train_by_lightning():
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = Tiny()

        def training_step(self, batch, _):
            loss = self.model(*batch)["loss"]
            self.log("loss", loss)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.01)

    module = Module()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        trainer = lightning.Trainer(
            accelerator="cpu", max_epochs=1, default_root_dir=folder, log_every_n_steps=LOG_EVERY,
            enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(module, make_loader())
    return module.model.times


OTHERS = {
    name: train
    for name, train in (("accelerate", train_by_accelerate), ("lightning", train_by_lightning))
    if importlib.util.find_spec(name)
}

# ------------------------------------------------------------------ what is compared


def measure(setups):
    """Seconds of each set-up at each iteration: the medians of rounds that take turns."""
    rounds = {name: [] for name in setups}
    names = list(setups)
    for number in range(ROUNDS):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            times = setups[name]()[WARM_UP : ITERATIONS + 1]
            rounds[name].append([b - a for a, b in pairwise(times)])
    return {name: [median(p) for p in zip(*each, strict=True)] for name, each in rounds.items()}


def more(ours, bare):
    """Microseconds that an iteration takes more than a bare one."""
    return (mean(ours) - mean(bare)) * MASS


def iterate():
    torch.set_num_threads(1)
    quiet = {"logger": {"type": "LoggerHook", "interval": 10 * ITERATIONS}}
    found = measure(
        {
            "bare": train_bare(),
            "yardstick": train_by_runner(),
            "no hooks": train_by_runner(default_hooks=NO_HOOKS),
            "no line": train_by_runner(default_hooks=quiet),
            **OTHERS,
        }
    )
    bare, ours, without = found["bare"], found["yardstick"], found["no line"]
    lines = ours[LOG_EVERY - 1 :: LOG_EVERY]  # the intervals in which a line is written
    line = (mean(lines) - median(without)) * MASS
    kept = [
        report("yardstick over the bare loop", more(ours, bare), 75, " us"),
        report("yardstick, ratio to the bare loop", mean(ours) / mean(bare), 1.30, " times"),
        report("no hooks", more(found["no hooks"], bare), 28, " us"),
        report("default hooks, no line", more(without, bare), 50, " us"),
        report("a line of the log", line, 140, " us"),
    ]
    for name in OTHERS:
        kept.append(report(name, more(found[name], bare), None, " us"))
    return all(kept)


def iterate_otherwise():
    setups = {
        "by epochs": train_by_runner(),
        "by iterations": by_iterations(),
        "by iterations, 10 modules": by_iterations(modules=10),
        "by iterations, 200 modules": by_iterations(modules=200),
        "by iterations, 2000 modules": by_iterations(modules=2000),
    }
    found = measure(setups)
    first = found["by epochs"]
    return all(
        [
            report(f"{name}, over by epochs", more(found[name], first), 5, " us")
            for name in setups
            if name != "by epochs"
        ]
    )


def iterate_with_features():
    optim = {"type": "AmpOptimWrapper", "dtype": "bfloat16", **SGD}
    pairs = {
        "EMA": (
            train_by_runner(custom_hooks=[{"type": "EMAHook"}]),
            train_bare(ema=True),
        ),
        "bf16": (train_by_runner(optim_wrapper=optim), train_bare(bf16)),
        "accumulation of 4": (
            train_by_runner(optim_wrapper={"accumulative_counts": 4, **SGD}),
            train_bare(every=4),
        ),
        "clipping": (
            train_by_runner(optim_wrapper={"clip_grad": {"max_norm": 1.0}, **SGD}),
            train_bare(clip=True),
        ),
        "loader from a config": (train_from_config, train_bare()),
        "validation": (validate_by_runner, validate_bare),
    }
    setups = {}
    for name, (ours, bare) in pairs.items():
        setups |= {name: ours, f"{name}, bare": bare}
    found = measure({**setups, "plain": train_by_runner(), "plain, bare": train_bare()})
    over = {name: more(found[name], found[f"{name}, bare"]) for name in (*pairs, "plain")}
    kept = [report("EMA over a foreach call", over["EMA"] - over["plain"], 35, " us")]
    kept += [report(f"{name}, over bare", over[name], None, " us") for name in pairs]
    kept.append(report("an iteration of validation", over["validation"], 25, " us"))
    return all(kept)


def save():
    kept = []
    for megabytes in (100, 400):
        state = {f"weight {n}": torch.randn(megabytes * 2**20 // 4 // 20) for n in range(20)}
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = Path(folder, "ours.pth"), Path(folder, "theirs.pth")

            def plain(state=state, path=theirs):
                with path.open("wb") as file:
                    torch.save(state, file)
                    file.flush()
                    os.fsync(file.fileno())

            timed = compare(lambda s=state, path=str(ours): save_checkpoint(s, path), plain, 7)
        what = f"saving {megabytes} MB, to torch.save and fsync"
        kept.append(report(what, timed.ratio, 1.15, " times"))
    return all(kept)


if __name__ == "__main__":
    run_all(iterate, iterate_otherwise, iterate_with_features, save)
