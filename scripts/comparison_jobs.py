"""The jobs that `compare_runs.py` runs at two commits, by documented names alone."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import Dataset

from eng.config import Config
from eng.evaluator import BaseMetric
from eng.hooks import Hook
from eng.model import BaseModel
from eng.registry import DATASETS, METRICS, MODELS
from eng.runner import Runner

#: Settings of the small job by name.
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "ema": {"custom_hooks": [{"type": "EMAHook", "momentum": 0.1}]},
    "accumulation": {"optim_wrapper": {"accumulative_counts": 2}},
    "bf16": {"optim_wrapper": {"type": "AmpOptimWrapper", "dtype": "bfloat16"}},
    "clipping": {"optim_wrapper": {"clip_grad": {"max_norm": 0.5}}},
    "losses": {"model": {"losses": "several"}},
    "shuffled": {"order": {"shuffle": True}},
}


@DATASETS.register_module(force=True)
class CompareData(Dataset):
    def __init__(self) -> None:
        self.x = torch.randn(22, 3, generator=torch.Generator().manual_seed(0))

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"inputs": self.x[index], "data_samples": self.x[index].sum()}


@MODELS.register_module(force=True)
class CompareModel(BaseModel):
    def __init__(self, losses: str = "one") -> None:
        super().__init__()
        self.losses = losses
        self.net = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        out = self.net(inputs).flatten()
        if mode == "loss" and self.losses == "several":
            parts = list((out - data_samples).split(2))
            return {"loss_a": out - data_samples, "loss_parts": parts, "seen": out.abs()}
        if mode == "loss":
            return {"loss": functional.mse_loss(out, data_samples)}
        return [{"error": float(e)} for e in (out - data_samples).abs()]


@METRICS.register_module(force=True)
class CompareMetric(BaseMetric):
    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.extend(sample["error"] for sample in data_samples)

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return {"error": sum(results) / len(results)}


class StoppedError(Exception):
    """Stands for a crash."""


class Recorder(Hook):
    """Keeps losses, samples and learning rates of each iteration, to the bit."""

    priority = "LOWEST"

    def __init__(self, stop_at: int | None = None) -> None:
        self.losses: list[str] = []
        self.samples: list[str] = []
        self.rates: list[str] = []
        self.stop_at = stop_at

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        self.losses.append(float(outputs["loss"]).hex())
        self.samples.append(digest([torch.as_tensor(x) for x in data_batch["inputs"]]))
        self.rates.append(float(runner.optim_wrapper.get_lr()["lr"][0]).hex())
        if runner.iter + 1 == self.stop_at:
            raise StoppedError


def digest(tensors: Any) -> str:
    """A name for the bits of tensors."""
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def plain(value: Any) -> Any:
    """A state without what the clock says, as text to compare."""
    if isinstance(value, torch.Tensor):
        return digest([value.flatten().view(torch.uint8)])
    if isinstance(value, Mapping):
        skipped = ("time", "eta", "data_time", "experiment_name", "run_id", "cfg", "saved_at")
        return {
            str(key): plain(each)
            for key, each in value.items()
            if str(key).removeprefix("train/").removeprefix("val/") not in skipped
        }
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return re.sub(r"[^']*/runs/", "runs/", repr(value))  # each commit runs in a folder of its own


def records_in(folder: Path) -> list[Any]:
    """The records of numbers, without times."""
    files = sorted(folder.rglob("*.json"), key=lambda file: file.name)
    return [plain(json.loads(line)) for file in files for line in file.read_text().splitlines()]


def record(job: Config, stop_at: int | None = None) -> dict[str, Any]:
    """Train, and say what was done."""
    runner = Runner.from_cfg(job)
    recorder = Recorder(stop_at)
    runner.register_hook(recorder)
    with contextlib.suppress(StoppedError):
        runner.train()
    log = next(Path(runner.log_dir).glob(f"{runner.timestamp}*.log"), None)
    lines = log.read_text().splitlines() if log is not None else []
    return {
        "losses": recorder.losses,
        "samples": recorder.samples,
        "rates": recorder.rates,
        "weights": digest(runner.model.state_dict().values()),
        "counters": [runner.epoch, runner.iter],
        "histories": {
            key: [value.hex() for value in history.data[0].tolist()]
            for key, history in runner.message_hub.log_scalars.items()
            if not key.endswith("time")
        },
        "records": records_in(Path(runner.log_dir)),
        "checkpoints": {
            path.name: plain(torch.load(path)) for path in sorted(Path(job.work_dir).glob("*.pth"))
        },
        "lines": [line for line in lines if "Epoch(" in line or "Iter(" in line],
    }


def digits(config: str, work_dir: str, world_size: int) -> dict[str, Any]:
    """The example, for four epochs."""
    job = Config.fromfile(config)
    job.work_dir = work_dir
    job.train_cfg.max_epochs = 4
    job.launcher = "pytorch" if world_size > 1 else "none"
    job.randomness = {"seed": 5}
    return record(job)


def line(
    work_dir: str, kind: str, by_epoch: bool, stop_at: int | None = None, resume: bool = False
) -> dict[str, Any]:
    """The small job."""
    settings = KINDS[kind]
    loader = {
        "batch_size": 4,
        "dataset": {"type": "CompareData"},
        **settings.get("order", {"sampler": {"type": "DefaultSampler", "shuffle": True}}),
        "collate_fn": {"type": "default_collate"},
    }
    evaluated = {"type": "CompareMetric"}
    loop = {"by_epoch": True, "max_epochs": 3, "val_interval": 1}
    if not by_epoch:
        loop = {"by_epoch": False, "max_iters": 18, "val_interval": 4}
    job = {
        "work_dir": work_dir,
        "model": {"type": "CompareModel", **settings.get("model", {})},
        "train_dataloader": loader,
        "val_dataloader": loader,
        "val_evaluator": evaluated,
        "train_cfg": loop,
        "val_cfg": {},
        "optim_wrapper": {
            "optimizer": {"type": "SGD", "lr": 0.05, "momentum": 0.9},
            **settings.get("optim_wrapper", {}),
        },
        "param_scheduler": {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "end": 8},
        "default_hooks": {
            "logger": {"type": "LoggerHook", "interval": 2},
            "checkpoint": {"type": "CheckpointHook", "interval": 3, "by_epoch": False},
        },
        "custom_hooks": settings.get("custom_hooks", []),
        "log_processor": {"by_epoch": by_epoch},
        "randomness": {"seed": 1},
        "resume": resume,
    }
    return record(Config(job), stop_at)
