"""A run from Python without a config, and what its summary says."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from eng.evaluator import BaseMetric, Evaluator
from eng.hooks import CheckpointHook
from eng.model import ModelWithLoss
from eng.runner import Runner, RunnerConfigError


class Share(BaseMetric):
    """The share of right predictions, under the name ``accuracy``."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        outputs = torch.stack(list(data_samples))
        self.results += (outputs.argmax(1) == data_batch[1]).tolist()

    def compute_metrics(self, results: list[bool]) -> dict[str, float]:
        return {"accuracy": sum(results) / len(results)}


def make_runner(folder: Path, epochs: int, **settings: Any) -> Runner:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(48, 4, generator=generator)
    data = TensorDataset(inputs, (inputs.sum(1) > 0).long())
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.2), nn.Linear(8, 2))
    arguments: dict[str, Any] = {
        "model": ModelWithLoss(net, nn.CrossEntropyLoss()),
        "work_dir": str(folder),
        "train_dataloader": DataLoader(data, 8, shuffle=True),
        "optim_wrapper": torch.optim.AdamW(net.parameters(), lr=0.01),
        "train_cfg": {"by_epoch": True, "max_epochs": epochs},
        "val_dataloader": DataLoader(data, 20),
        "val_cfg": {"loss": True},
        "val_evaluator": Share(),
        "custom_hooks": [],
        "randomness": {"seed": 3},
    }
    return Runner(**arguments | settings)


def test_the_summary_says_what_happened(tmp_path: Path) -> None:
    runner = make_runner(
        tmp_path, 3, default_hooks={"checkpoint": CheckpointHook(1, save_best="accuracy")}
    )
    runner.train()
    assert isinstance(runner.val_evaluator, Evaluator)
    summary = runner.summary
    assert (summary.epochs, summary.iters) == (3, 18)
    assert summary.seconds > 0
    assert [each.epoch for each in summary.validations] == [1, 2, 3]
    assert summary.metrics == summary.validations[-1].metrics
    assert set(summary.metrics) == {"accuracy", "loss", "val_loss"}
    best = summary.best["accuracy"]
    assert best.score == max(each.metrics["accuracy"] for each in summary.validations)
    assert best.path is not None
    assert Path(best.path).is_file()
    assert summary.best["val_loss"].score == min(v.metrics["val_loss"] for v in summary.validations)
    assert len(summary.history["loss"]) == len(summary.history["lr"]) == 18
    assert summary.last_checkpoint == str(tmp_path / "epoch_3.pth")
    text = str(summary)
    assert "3 epochs, 18 iterations, trained for 0:00:0" in text
    assert f"best checkpoint: {best.path}" in text
    assert Path(str(summary.log_file)).is_file()


def test_the_best_is_by_the_rule_of_the_run_and_never_nan(tmp_path: Path) -> None:
    class Odd(BaseMetric):
        values = iter([math.nan, 2.0, 1.0])

        def process(self, data_batch: Any, data_samples: Any) -> None:
            self.results.append(0)

        def compute_metrics(self, results: list[int]) -> dict[str, float]:
            return {"accuracy": next(self.values)}

    hook = CheckpointHook(1, save_best="accuracy", rule="less")
    runner = make_runner(tmp_path, 3, val_evaluator=Odd(), default_hooks={"checkpoint": hook})
    runner.train()
    best = runner.summary.best["accuracy"]
    assert (best.score, best.epoch) == (1.0, 3)


def test_the_loss_of_a_validation_is_that_of_its_data_in_evaluation_mode(tmp_path: Path) -> None:
    runner = make_runner(tmp_path, 1)
    model: Any = runner.train()
    batches = list(runner.val_dataloader)
    model.eval()
    sizes = [len(targets) for _, targets in batches]
    losses: list[Tensor] = [
        model(*batch, mode="loss")["loss"] * size
        for batch, size in zip(batches, sizes, strict=True)
    ]
    assert len(set(sizes)) > 1  # the last batch is smaller
    assert runner.summary.metrics["val_loss"] == pytest.approx(float(sum(losses)) / sum(sizes))
    log = Path(str(runner.summary.log_file)).read_text()
    assert f"val_loss: {runner.summary.metrics['val_loss']:.4f}" in log


def test_a_line_shows_the_loss_of_its_own_validation(tmp_path: Path) -> None:
    runner = make_runner(tmp_path, 4)
    runner.train()
    lines = [x for x in Path(str(runner.summary.log_file)).read_text().splitlines() if "(val)" in x]
    shown = [line.partition("val_loss: ")[2].split()[0] for line in lines]
    assert shown == [f"{v.metrics['val_loss']:.4f}" for v in runner.summary.validations]


def test_a_run_from_python_resumes_to_the_bit(tmp_path: Path) -> None:
    whole: Any = make_runner(tmp_path / "whole", 4).train()
    make_runner(tmp_path / "parts", 2).train()
    runner = make_runner(tmp_path / "parts", 4, resume=True)
    resumed: Any = runner.train()
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name])
    assert [each.epoch for each in runner.summary.validations] == [1, 2, 3, 4]


def test_a_loss_in_validation_needs_a_model_with_losses(tmp_path: Path) -> None:
    class Bare(nn.Module):
        def val_step(self, data: Any) -> Any: ...

    runner = make_runner(
        tmp_path, 1, model=Bare(), train_cfg=None, train_dataloader=None, optim_wrapper=None
    )
    with pytest.raises(RunnerConfigError, match=r"val_cfg: loss=True needs a model .* Bare"):
        runner.val()
