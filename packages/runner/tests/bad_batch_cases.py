"""Runs on data with a bad sample, and whose batches are noted while they run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from runner_workers import PlaneModel, plane_job
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    WeightedRandomSampler,
)

from eng.dataset import BaseDataset
from eng.dist import all_gather_object, get_rank
from eng.hooks import Hook
from eng.registry import DATASETS, MODELS
from eng.runner import Runner


@DATASETS.register_module(force=True)
class MarkedData(Dataset):
    """Samples that tell their index, some of which are NaN."""

    def __init__(self, length: int = 1000, bad: Any = ()) -> None:
        self.length, self.bad = length, set(bad)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Any]:
        x = torch.randn(4, generator=torch.Generator().manual_seed(int(index)))
        if index in self.bad:
            x[2] = float("nan")
        return {"inputs": x, "data_samples": x[:2].sum(), "mark": int(index)}


@MODELS.register_module(force=True)
class MarkedModel(PlaneModel):
    """Ignores the marks."""

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor", **_: Any) -> Any:
        return super().forward(inputs, data_samples, mode)


@DATASETS.register_module(force=True)
class AugmentedData(MarkedData):
    """Adds noise, which workers seed by the position of a sample."""

    def __init__(self) -> None:
        super().__init__(20)

    def __getitem__(self, index: int) -> dict[str, Any]:
        sample = super().__getitem__(index)
        return {**sample, "inputs": sample["inputs"] + torch.randn(4)}


@DATASETS.register_module(force=True)
class SeededData(BaseDataset):
    """Adds noise, which the dataset itself seeds."""

    def __init__(self) -> None:
        super().__init__()

    def load_data_list(self) -> list[dict[str, Any]]:
        return [MarkedData()[i] for i in range(20)]

    def prepare_data(self, idx: int) -> dict[str, Any]:
        sample = self.get_data_info(idx)
        sample.pop("sample_idx", None)
        return {**sample, "inputs": sample["inputs"] + torch.randn(4)}


class Batches(Hook):
    """Keeps the batches of each iteration."""

    def __init__(self) -> None:
        self.seen: dict[int, Any] = {}

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        self.seen[runner.iter + 1] = data_batch


class Marks(Hook):
    """Notes the indices of each iteration, from 1 as in the log."""

    def __init__(self) -> None:
        self.seen: dict[int, list[int]] = {}

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        self.seen[runner.iter + 1] = data_batch["mark"].tolist()


class Pairs(Sampler[list[int]]):
    """A batch sampler of another kind: neighbours together, in an order drawn at random."""

    batch_size = 2

    def __init__(self, length: int) -> None:
        self.length = length

    def __iter__(self) -> Iterator[list[int]]:
        for i in torch.randperm(self.length // 2).tolist():
            yield [2 * i, 2 * i + 1]

    def __len__(self) -> int:
        return self.length // 2


def marked_job(folder: Path | str, length: int = 1000, bad: Any = (), **more: Any) -> Any:
    job = plane_job(folder, **more)
    job["model"]["type"] = "MarkedModel"
    dataset = {"type": "MarkedData", "length": length, "bad": list(bad)}
    job["train_dataloader"] = {**job["train_dataloader"], "batch_size": 8, "dataset": dataset}
    return job


def loader_of(kind: str, data: MarkedData) -> DataLoader[Any]:
    """A data loader of torch, of some kind."""
    if kind == "pairs":
        return DataLoader(data, batch_sampler=Pairs(len(data)))
    if kind == "weighted":
        sampler: Any = WeightedRandomSampler(torch.ones(len(data)), len(data))
    else:
        generator = torch.Generator().manual_seed(5) if kind == "generator" else None
        sampler = RandomSampler(data, generator=generator)
    return DataLoader(data, batch_size=4, sampler=sampler)


class Stream(IterableDataset):
    """Samples without indices."""

    def __init__(self, samples: list[Any]) -> None:
        self.samples = samples

    def __iter__(self) -> Iterator[Any]:
        return iter(self.samples)

    def __len__(self) -> int:
        return len(self.samples)


def streamed(samples: list[Any]) -> DataLoader[Any]:
    return DataLoader(Stream(samples), batch_size=4)


def train_marked(folder: str, **more: Any) -> list[dict[int, list[int]]]:
    """Train; the marks of all processes."""
    runner = Runner.from_cfg(marked_job(folder, **more))
    marks = Marks()
    runner.register_hook(marks)
    runner.train()
    return all_gather_object(marks.seen)


def train_on_a_bad_rank(folder: str) -> tuple[int, list[dict[int, list[int]]]]:
    more = {"length": 50, "bad": [37], "launcher": "pytorch", "nan_loss": "skip"}
    return get_rank(), train_marked(folder, **more)
