"""Batches are copied to the device ahead of their use, where a data loader asks for it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

sys.path.insert(0, str(Path(__file__).parent))

import runner_workers as workers

from eng.model import BaseModel
from eng.runner import Runner
from eng.runner.builders import build_dataloader


class Recorder(BaseModel):
    """Records the device and the values of its batches."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.seen: list[tuple[str, list[float]]] = []

    def forward(self, inputs: Any, mode: str = "tensor") -> Any:
        self.seen.append((inputs.device.type, inputs.flatten().tolist()))
        return {"loss": (self.weight * inputs).mean()}

    def train_step(self, data: Any, optim_wrapper: Any) -> Any:
        assert data[0].device == self.weight.device or not self.is_ahead
        return super().train_step(data, optim_wrapper)

    is_ahead = False


def train(folder: Path, is_ahead: bool, workers: int = 2, **settings: Any) -> Recorder:
    data = TensorDataset(torch.arange(12.0).reshape(12, 1))
    loader: Any = DataLoader(data, 2, num_workers=workers, pin_memory=torch.cuda.is_available())
    loader.prefetch_to_device = is_ahead
    model = Recorder()
    model.is_ahead = is_ahead and workers > 0
    Runner(
        model=model,
        work_dir=str(folder),
        train_dataloader=loader,
        train_cfg=settings or {"by_epoch": True, "max_epochs": 2},
        optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.01}},
        experiment_name=f"ahead_{is_ahead}_{workers}",
    ).train()
    return model


def test_a_run_is_the_same_with_batches_copied_ahead(tmp_path: Path) -> None:
    plain, ahead = (train(tmp_path / str(each), each) for each in (False, True))
    assert ahead.seen == plain.seen
    assert torch.equal(ahead.weight, plain.weight)


def test_by_iterations_epochs_follow_each_other(tmp_path: Path) -> None:
    model = train(tmp_path, True, by_epoch=False, max_iters=9)
    assert [values[0] for _, values in model.seen] == [0, 2, 4, 6, 8, 10, 0, 2, 4]


def test_without_workers_it_says_that_it_has_no_effect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = train(tmp_path, True, workers=0)
    assert len(model.seen) == 12
    assert "prefetch_to_device has no effect" in capsys.readouterr().out


def test_a_run_from_a_config_asks_for_it(tmp_path: Path) -> None:
    job = workers.plane_job(tmp_path)
    job["train_dataloader"]["prefetch_to_device"] = True
    runner = Runner.from_cfg(job)
    runner.train()
    assert runner.train_dataloader.prefetch_to_device  # type: ignore[attr-defined]


def test_a_config_asks_for_it() -> None:
    data = TensorDataset(torch.arange(4.0))
    loader: Any = build_dataloader({"dataset": data, "batch_size": 2, "prefetch_to_device": True})
    assert loader.prefetch_to_device
    assert loader.pin_memory == torch.cuda.is_available()
    plain: Any = build_dataloader({"dataset": data, "batch_size": 2})
    assert not plain.prefetch_to_device
