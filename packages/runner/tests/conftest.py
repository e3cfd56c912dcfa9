"""A tiny job that every test of the runner can change."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from eng.evaluator import BaseMetric
from eng.model import BaseModel
from eng.registry import DATASETS, METRICS, MODELS, DefaultScope


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip here, so that the summary has one line for all of them."""
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("tests marked gpu need a CUDA device, and none is here")


@pytest.fixture(autouse=True)
def no_default_scope() -> Iterator[None]:
    """Isolate the default scope that the runner of a test sets."""
    with DefaultScope.isolated():
        yield


@DATASETS.register_module(force=True)
class LineData(Dataset):
    def __init__(self, length: int = 20) -> None:
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(length, 3, generator=generator)
        self.y = self.x.sum(1, keepdim=True)
        self.metainfo = {"task": "line"}

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"inputs": self.x[index], "data_samples": self.y[index]}


@MODELS.register_module(force=True)
class LineModel(BaseModel):
    """Has dropout, so that its losses depend on the random state."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        out = self.net(inputs)
        if mode == "loss":
            return {"loss": F.mse_loss(out, data_samples)}
        if mode == "predict":
            return [{"error": float(e)} for e in (out - data_samples).abs().flatten()]
        return out


@METRICS.register_module(force=True)
class MeanError(BaseMetric):
    default_prefix = "line"

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.extend(sample["error"] for sample in data_samples)

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return {"loss": sum(results) / len(results)}


@pytest.fixture
def job(tmp_path: Path) -> dict[str, Any]:
    loader = {
        "batch_size": 4,
        "dataset": {"type": "LineData"},
        "sampler": {"type": "DefaultSampler", "shuffle": True},
        "collate_fn": {"type": "default_collate"},
    }
    return {
        "work_dir": str(tmp_path / "work"),
        "model": {"type": "LineModel"},
        "train_dataloader": loader,
        "val_dataloader": copy.deepcopy(loader),
        "test_dataloader": copy.deepcopy(loader),
        "train_cfg": {"by_epoch": True, "max_epochs": 3},
        "val_cfg": {},
        "test_cfg": {},
        "val_evaluator": {"type": "MeanError"},
        "test_evaluator": {"type": "MeanError"},
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.05, "momentum": 0.9}},
        "param_scheduler": {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "end": 8},
        "randomness": {"seed": 1},
        "default_scope": "mmengine",
        "default_hooks": {"logger": {"type": "LoggerHook", "interval": 1}},
    }
