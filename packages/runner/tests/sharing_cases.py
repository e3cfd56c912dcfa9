"""What processes see of a data loader that no sampler shares out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import (
    DataLoader,
    Dataset,
    RandomSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

from eng.checkpoint import RankBuffers
from eng.dataset import DefaultSampler
from eng.dist import get_rank
from eng.evaluator import BaseMetric
from eng.hooks import Hook
from eng.model import BaseModel
from eng.runner import Runner

LENGTH = 20


class Numbers(Dataset):
    def __len__(self) -> int:
        return LENGTH

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"inputs": torch.tensor([index / LENGTH]), "data_samples": int(index)}


class Net(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(1, 1)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        if mode == "loss":
            return {"loss": self.net(inputs).square().mean()}
        return [int(each) for each in data_samples]


class Counted(BaseMetric):
    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.extend(data_samples)

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        return {"number": len(results), "different": len(set(results))}


class Seen(Hook):
    def __init__(self) -> None:
        self.epochs: list[list[int]] = []
        self.metrics: list[Any] = []

    def before_train_epoch(self, runner: Any) -> None:
        self.epochs.append([])

    def after_train_iter(self, runner: Any, *args: Any, data_batch: Any, **kwargs: Any) -> None:
        self.epochs[-1] += [int(each) for each in data_batch["data_samples"]]

    def after_val_epoch(self, runner: Any, metrics: Any = None) -> None:
        self.metrics.append(metrics)


def make(kind: str) -> Any:
    data = Numbers()
    settings: dict[str, Any] = {
        "config": None,
        "shuffled config": {"shuffle": True},
        "loader": {},
        "shuffled loader": {"shuffle": True},
        "subset": {"sampler": SubsetRandomSampler(range(4, LENGTH))},
        "weighted": {"sampler": WeightedRandomSampler([1.0] * LENGTH, LENGTH)},
        "replacement": {"sampler": RandomSampler(data, replacement=True)},
        "shared already": {"sampler": DefaultSampler(data, seed=1)},
    }[kind]
    if "config" in kind:
        collate = {"type": "default_collate"}
        return {"dataset": data, "batch_size": 2, "collate_fn": collate, **(settings or {})}
    return DataLoader(data, batch_size=2, **settings)


def samples_of(work_dir: str, kind: str) -> tuple[list[list[int]], list[Any], bool]:
    """Train two epochs: samples of this process by epoch, metrics, whether it was said."""
    seen = Seen()
    runner = Runner(
        model=Net(),
        work_dir=work_dir,
        train_dataloader=make(kind),
        train_cfg={"by_epoch": True, "max_epochs": 2},
        optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.1}},
        val_dataloader=make("loader" if "loader" in kind else "config"),
        val_cfg={},
        val_evaluator=Counted(),
        launcher="pytorch",
        randomness={"seed": 1},
        custom_hooks=[seen],
    )
    runner.train()
    said = any("are sharded" in path.read_text() for path in Path(work_dir).rglob("*.log"))
    return seen.epochs, seen.metrics, said


def buffers() -> tuple[dict[str, list[float]] | None, list[float]]:
    """Buffers of a module that differ, and what they are put back to."""
    rank = get_rank()
    norm = nn.BatchNorm1d(2)
    model = nn.Sequential(norm, nn.BatchNorm1d(2))
    norm.running_mean += rank  # type: ignore[operator]
    part = RankBuffers(model)
    state = part.state_dict()
    norm.running_mean.zero_()  # type: ignore[union-attr]
    part.load_state_dict(state or {})
    found = None if state is None else {name: each.tolist() for name, each in state.items()}
    return found, norm.running_mean.tolist()  # type: ignore[union-attr]
