"""Jobs that validate several named sets, in this process and in several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from eng.evaluator import BaseMetric
from eng.model import BaseModel
from eng.runner import Runner

#: Samples of each set, which no batch size divides.
SIZES = {"near": 7, "far": 10}


class Points(Dataset[dict[str, Tensor]]):
    """Numbers from a start on, and their doubles."""

    def __init__(self, start: int, length: int) -> None:
        self.x = torch.arange(start, start + length, dtype=torch.float)[:, None]
        self.metainfo = {"start": start}

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"inputs": self.x[index], "data_samples": 2 * self.x[index]}


class Slope(BaseModel):
    """A line through the origin."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.net.weight, 1.0)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        error = data_samples - self.net(inputs)
        return {"loss": error.abs().mean()} if mode == "loss" else list(error.flatten())


class MeanOf(BaseMetric):
    """The mean error, and what the dataset says of itself."""

    default_prefix = "error"

    def process(self, data_batch: Any, data_samples: Sequence[Any]) -> None:
        self.results.extend(float(each) for each in data_samples)

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        assert self.dataset_meta is not None
        return {
            "mean": sum(results) / len(results),
            "count": len(results),
            "start": self.dataset_meta["start"],
        }


def loader(start: int, length: int, **more: Any) -> dict[str, Any]:
    return {
        "batch_size": 4,
        "dataset": Points(start, length),
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "collate_fn": {"type": "default_collate"},
        **more,
    }


def job(work_dir: Path | str, **more: Any) -> dict[str, Any]:
    sets = {"near": loader(0, SIZES["near"]), "far": loader(100, SIZES["far"])}
    return {
        "model": Slope(),
        "work_dir": str(work_dir),
        "train_dataloader": loader(1, 8),
        "train_cfg": {"by_epoch": True, "max_epochs": 3},
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.001}},
        "val_dataloader": sets,
        "val_cfg": {},
        "val_evaluator": MeanOf(),
        "randomness": {"seed": 1},
        **more,
    }


def validate(work_dir: str) -> dict[str, float]:
    """Validate in one of several processes."""
    more = {"launcher": "pytorch", "env_cfg": {"dist_cfg": {"backend": "gloo"}}}
    return Runner(**job(work_dir, val_cfg={"loss": True}, **more)).val()
