"""What each process of tests/test_parallel_runs.py does."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional
from torch.utils.data import Dataset, DistributedSampler

from eng.dist import all_gather_object, get_data_rank, keep_data_ranks
from eng.evaluator import BaseMetric, RunningMetric
from eng.hooks import EMAHook, Hook
from eng.model import BaseModel
from eng.registry import DATA_SAMPLERS, DATASETS, METRICS, MODELS
from eng.runner import Runner

DATA_SAMPLERS.register_module(name="SamplerOfRanks", module=DistributedSampler, force=True)


@DATASETS.register_module(force=True)
class NumberedSums(Dataset):
    """Points whose first coordinate is the number of the sample, scaled, and their sums."""

    def __init__(self) -> None:
        self.x = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
        self.x[:, 0] = torch.arange(20) / 20

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"inputs": self.x[index], "data_samples": self.x[index].sum()}


class TanhBlock(nn.Module):
    def __init__(self, drop: float) -> None:
        super().__init__()
        self.norm, self.drop = nn.LayerNorm(6), nn.Dropout(drop)
        self.up, self.down = nn.Linear(6, 12), nn.Linear(12, 6)

    def forward(self, x: Any) -> Any:
        return x + self.drop(self.down(torch.tanh(self.up(self.norm(x)))))


@MODELS.register_module(force=True)
class BlockModel(BaseModel):
    def __init__(self, drop: float = 0.0) -> None:
        super().__init__()
        self.head, self.tail = nn.Linear(3, 6), nn.Linear(6, 1)
        self.blocks = nn.ModuleList([TanhBlock(drop) for _ in range(2)])

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        x = self.head(inputs)
        for block in self.blocks:
            x = block(x)
        out = self.tail(x).flatten()
        return {"loss": functional.mse_loss(out, data_samples)} if mode == "loss" else out

    def tensor_plan(self) -> dict[str, str]:
        return {"blocks.*.up": "columns", "blocks.*.down": "rows"}


@METRICS.register_module(force=True)
class Listed(BaseMetric):
    """Sum and number of all predictions, and the first and the last one."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results += [float(each) for each in data_samples]

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        ends = {"first": results[0], "last": results[-1]}
        return {"number": len(results), "sum": sum(results), **ends}


@METRICS.register_module(force=True)
class Summed(RunningMetric):
    def update(self, data_batch: Any, data_samples: Any) -> None:
        for each in data_samples:
            self.sums["sum"] += float(each)
            self.sums["seen"] += 1

    def reduce(self, sums: Any) -> dict[str, float]:
        return {"running_sum": float(sums["sum"]), "running_number": float(sums["seen"])}


class Watch(Hook):
    """Keeps losses, averaged over processes, and the samples of each epoch by data rank."""

    priority = "LOWEST"

    def __init__(self, stop_at: int | None) -> None:
        self.stop_at = stop_at
        self.losses: list[float] = []
        self.own: list[int] = []
        self.epochs: list[list[list[int]]] = []
        self.metrics: dict[str, float] = {}

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        loss = outputs["loss"].detach().clone()
        if dist.is_initialized():
            dist.all_reduce(loss)
            loss /= dist.get_world_size()
        self.losses.append(loss.item())
        self.own += [round(float(x) * 20) for x in data_batch["inputs"][:, 0]]
        if runner.iter + 1 == self.stop_at:
            raise KeyboardInterrupt

    def after_val_epoch(self, runner: Any, metrics: Any = None) -> None:
        self.metrics = dict(metrics)

    def after_train_epoch(self, runner: Any) -> None:
        gathered = all_gather_object(self.own)
        # Those that split layers take the same.
        step = len(gathered) // len(keep_data_ranks(gathered))
        assert all(gathered[rank] == gathered[rank - rank % step] for rank in range(len(gathered)))
        self.epochs.append(keep_data_ranks(gathered))
        self.own = []


def job(work_dir: str, data_ranks: int, parallel: Any, **more: Any) -> dict[str, Any]:
    order = {"type": "DefaultSampler", "shuffle": True, "seed": 3}
    collate = {"type": "default_collate"}
    metrics = [{"type": "Listed"}, {"type": "Summed"}]
    return {
        "work_dir": work_dir,
        "model": {"type": "BlockModel", "drop": more.pop("drop", 0.0)},
        "train_dataloader": {
            "batch_size": 4 // data_ranks,
            "dataset": {"type": "NumberedSums"},
            "sampler": order,
            "collate_fn": collate,
        },
        "train_cfg": {"by_epoch": True, "max_epochs": 2, "val_interval": 2},
        "optim_wrapper": {
            "optimizer": {"type": "AdamW", "lr": 0.01},
            "clip_grad": {"max_norm": 1.0},
        },
        "val_dataloader": {
            "batch_size": 3,  # does not divide the samples
            "dataset": {"type": "NumberedSums"},
            "sampler": {**order, "shuffle": False},
            "collate_fn": collate,
        },
        "val_cfg": {},
        "val_evaluator": metrics,
        "custom_hooks": [{"type": "EMAHook", "momentum": 0.1}],
        "default_hooks": {
            "checkpoint": {"type": "CheckpointHook", "interval": 1, "format": "file"}
        },
        # The samples of a data rank, and so its random numbers, are those of one process.
        "randomness": {"seed": 3, "diff_rank_seed": dist.is_initialized()},
        "launcher": "pytorch" if dist.is_initialized() else "none",
        "log_level": "WARNING",
        "parallel": parallel,
        **more,
    }


def run(
    work_dir: str, data_ranks: int, parallel: Any, stop_at: int | None = None, **more: Any
) -> dict[str, Any]:
    """Train for two epochs with an average; return what a run shows."""
    torch.manual_seed(0)
    runner = Runner.from_cfg(job(work_dir, data_ranks, parallel, **more))
    watch = Watch(stop_at)
    runner.register_hook(watch)
    try:
        runner.train()
    except KeyboardInterrupt:
        return {"losses": watch.losses}
    hooks = [hook for hook in runner.hooks if isinstance(hook, EMAHook)]
    return {
        "losses": watch.losses,
        "epochs": watch.epochs,
        "metrics": watch.metrics,
        "logged": float(runner.message_hub.get_scalar("train/loss").mean()),
        "samples_per_iter": runner.progress.samples_per_iter,
        "wrapper": type(runner.model).__name__,
        "own": sum(_size(each) for each in runner.model.parameters()),
        "own_average": sum(_size(p) for hook in hooks for p in hook.ema_model.module.parameters()),
    }


def _size(parameter: Any) -> int:
    local = parameter.to_local() if hasattr(parameter, "to_local") else parameter
    return int(local.numel())


def all_runs(folder: str, cases: dict[str, tuple[int, Any, dict[str, Any]]]) -> dict[str, Any]:
    """Run each case, and those that are named so again after a stop in the second epoch."""
    found = {}
    for name, (data_ranks, parallel, more) in cases.items():
        found[name] = run(f"{folder}/{name}", data_ranks, parallel, **more)
        if "resumed" in name:  # from a folder of shards
            more |= {"default_hooks": {"checkpoint": {"type": "CheckpointHook", "interval": 1}}}
            before = run(f"{folder}/{name}_stopped", data_ranks, parallel, stop_at=7, **more)
            after = run(f"{folder}/{name}_stopped", data_ranks, parallel, resume=True, **more)
            found[name]["resumed"] = before["losses"][:5] + after["losses"]
    return found


def take_turns(folder: str) -> list[tuple[list[float], Any]]:
    """Losses and metrics of two runs that are both built before the first of them trains."""
    jobs = job(f"{folder}/split", 1, {"tensor": 2}), job(f"{folder}/replicas", 2, None)
    runners = [Runner.from_cfg(each) for each in jobs]
    found = []
    for runner in runners:
        watch = Watch(None)
        runner.register_hook(watch)
        runner.train()
        found.append((watch.losses, watch.metrics))
    assert runners[0].val()["number"] == runners[1].val()["number"] == 20
    return found


def refused(folder: str, cases: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The error of each config, in the same processes."""
    found = {}
    for name, more in cases.items():
        try:
            found[name] = f"no error: {run(f'{folder}/{name}', 1, **more)}"
        except (ValueError, TypeError) as error:
            found[name] = str(error)
    assert get_data_rank() in (0, 1)
    return found
