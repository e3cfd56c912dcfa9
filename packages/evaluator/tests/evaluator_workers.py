"""Functions of tests in several processes; a spawned process imports this module by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from eng.dist import get_data_info, get_rank, init_mesh, use_mesh
from eng.evaluator import BaseMetric, DumpResults, Evaluator, RunningMetric
from eng.fileio import load


class Entries(BaseMetric):
    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.extend(sample["number"] for sample in data_samples)

    def compute_metrics(self, results: list[int]) -> dict[str, Any]:
        return {"numbers": sorted(results), "order": results}


class Sums(RunningMetric):
    def update(self, data_batch: Any, data_samples: Any) -> None:
        for sample in data_samples:
            number = sample["number"]
            self.sums["counts"] += torch.nn.functional.one_hot(torch.tensor(number), 10)

    def reduce(self, sums: Any) -> dict[str, Any]:
        counts = sums["counts"].tolist()
        return {"numbers": [number for number in range(10) for _ in range(counts[number])]}


class Broken(Entries):
    def compute_metrics(self, results: list[int]) -> dict[str, Any]:
        raise OSError("full")


def batches(length: int, batch: int, rank: int, world: int) -> list[list[dict[str, int]]]:
    """The share of one process, filled up from the start of the dataset so that all are alike."""
    total = -(-length // world) * world
    mine = [{"number": place % length} for place in range(rank, total, world)]
    return [mine[start : start + batch] for start in range(0, len(mine), batch)]


def collect(
    folder: Path, lengths: tuple[int, ...] = (1, 2, 3, 5, 6, 7), references: int = 6
) -> None:
    """What each rank runs."""
    from torchmetrics import SumMetric

    from eng.evaluator import TorchMetric

    rank, world = get_data_info()
    for length in lengths:
        for batch in (1, 2, 3):
            metrics = [
                Entries(prefix="cpu"),
                Entries(prefix="gpu", collect_device="gpu"),
                Sums(prefix="sums"),
                TorchMetric(SumMetric(), fields={"value": "number"}),
                DumpResults(str(folder / f"{length}_{batch}.pkl")),
            ]
            evaluator = Evaluator(metrics)
            for each in batches(length, batch, rank, world):
                evaluator.process(each)
            numbers = evaluator.evaluate(length)
            wanted = list(range(length))
            for prefix in ("cpu", "gpu", "sums"):
                assert numbers[f"{prefix}/numbers"] == wanted, (length, batch, prefix, numbers)
            assert numbers["cpu/order"] == numbers["gpu/order"] == wanted
            assert numbers["SumMetric"] == sum(wanted)
            is_first = get_rank() == 0
            dumped = load(str(folder / f"{length}_{batch}.pkl")) if is_first else []
            assert [sample["number"] for sample in dumped] == (wanted if is_first else [])
    check_references(references)
    broken = Evaluator(Broken())
    broken.process([{"number": 0}])
    kind, words = (
        (OSError, "^full$") if get_rank() == 0 else (RuntimeError, "compute Broken: OSError: full")
    )
    with pytest.raises(kind, match=words):
        broken.evaluate(world)


def collect_in_tensor_groups(folder: Path) -> None:
    """What each rank runs where two take the same samples."""
    use_mesh(init_mesh({"data": "rest", "tensor": 2}))
    collect(folder, lengths=(5,), references=0)


def check_references(count: int) -> None:
    """Hold the metrics of many cases against scikit-learn; most have uneven shares."""
    import metric_cases

    rank, world = get_data_info()
    for seed in range(count):
        metric_cases.check(seed, rank, world)
