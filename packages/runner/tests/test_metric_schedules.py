"""What depends on metrics of validation is the same in a resumed run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eng.evaluator import BaseMetric
from eng.hooks import Hook
from eng.registry import METRICS
from eng.runner import Runner

#: A metric after each epoch.
VALUES = [1.0, 0.9, 0.9, 0.9, 0.5, 0.5, 0.5, 0.5, 0.5]


@METRICS.register_module(force=True)
class PlannedMetric(BaseMetric):
    epoch = 0

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.append(0)

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        return {"planned_loss": VALUES[self.epoch - 1]}


class Rates(Hook):
    priority = "LOWEST"

    def __init__(self) -> None:
        self.seen: dict[int, list[float]] = {}

    def before_val(self, runner: Any) -> None:
        PlannedMetric.epoch = runner.epoch

    def after_val(self, runner: Any) -> None:
        self.seen[runner.epoch] = [group["lr"] for group in runner.optim_wrapper.param_groups]


def planned(job: dict[str, Any], interval: int = 1, **changes: Any) -> dict[str, Any]:
    plateau = {
        "type": "ReduceOnPlateauLR",
        "monitor": "planned_loss",
        "patience": 1,
        "factor": 0.5,
    }
    warm_up = {"type": "LinearLR", "start_factor": 0.5, "end": 3}
    return {
        **job,
        "train_cfg": {"by_epoch": True, "max_epochs": 9},
        "val_evaluator": {"type": "PlannedMetric"},
        "param_scheduler": [warm_up, plateau],
        "optim_wrapper": {
            "optimizer": {"type": "SGD", "lr": 1e-2},
            "paramwise_cfg": {"bias_lr_mult": 2.0},
        },
        "default_hooks": {
            "checkpoint": {
                "type": "CheckpointHook",
                "interval": interval,
                "save_best": "planned_loss",
            }
        },
        **changes,
    }


def run(cfg: dict[str, Any]) -> tuple[Runner, dict[int, list[float]]]:
    rates = Rates()
    runner = Runner.from_cfg(cfg)
    runner.register_hook(rates)
    runner.train()
    return runner, rates.seen


def test_rates_follow_the_metric(job: dict[str, Any]) -> None:
    runner, seen = run(planned(job))
    base = [rates[-1] / 1e-2 for rates in seen.values()]
    assert base == pytest.approx([0.75, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25])
    # Of the last epoch, the schedule has ended.
    assert [len(rates) for rates in seen.values()] == [5] * 9
    assert runner.message_hub.get_scalar("train/base_lr").current() == pytest.approx(2.5e-3)
    before = seen[9]
    runner.val()
    assert [group["lr"] for group in runner.optim_wrapper.param_groups] == before


def test_a_metric_that_there_is_not_is_refused_before_training(job: dict[str, Any]) -> None:
    schedule = {"type": "ReduceOnPlateauLR", "monitor": "accuracy"}
    runner = Runner.from_cfg({**planned(job), "param_scheduler": schedule})
    with pytest.raises(KeyError, match=r"ReduceOnPlateauLR\(monitor='accuracy'\)|accuracy"):
        runner.train()


#: Of the best ones, the first is a copy made before its validation, the others are not.
@pytest.mark.parametrize(
    ("name", "interval", "first"),
    [
        ("epoch_2", 1, 2),
        ("epoch_4", 1, 4),
        ("epoch_6", 2, 6),
        ("best_planned_loss_epoch_5", 1, 5),
        ("best_planned_loss_epoch_5", 2, 6),
    ],
)
def test_a_resumed_run_has_the_rates_of_a_whole_one(
    job: dict[str, Any], tmp_path: Path, name: str, interval: int, first: int
) -> None:
    cfg = planned(job, interval)
    _, whole = run(cfg)
    start = f"{cfg['work_dir']}/{name}.pth"
    other = {**cfg, "work_dir": str(tmp_path / "b"), "load_from": start, "resume": True}
    _, resumed = run(other)
    assert resumed == {epoch: whole[epoch] for epoch in resumed}
    assert min(resumed) == first


@pytest.mark.parametrize("first", [4, 6])
def test_a_longer_run_goes_on_reducing(job: dict[str, Any], tmp_path: Path, first: int) -> None:
    _, whole = run(planned(job))
    short = planned(job, work_dir=str(tmp_path / "short"))
    short["train_cfg"] = {"by_epoch": True, "max_epochs": first}
    run(short)
    longer = {**short, "train_cfg": {"by_epoch": True, "max_epochs": 9}, "resume": True}
    _, resumed = run(longer)
    assert max(resumed) == 9
    for epoch in range(first + 1, 10):
        assert resumed[epoch] == pytest.approx(whole[epoch])


def test_a_schedule_that_follows_training_keeps_the_reductions(
    job: dict[str, Any], tmp_path: Path
) -> None:
    schedules = [
        {"type": "PolyLR", "power": 1.0},
        {"type": "ReduceOnPlateauLR", "monitor": "planned_loss", "patience": 0, "factor": 0.5},
    ]
    _, whole = run(planned(job, param_scheduler=schedules, work_dir=str(tmp_path / "whole")))
    cfg = planned(job, param_scheduler=schedules)
    cfg["train_cfg"] = {"by_epoch": True, "max_epochs": 5}
    run(cfg)
    _, resumed = run({**cfg, "train_cfg": {"by_epoch": True, "max_epochs": 9}, "resume": True})
    assert resumed[9] == pytest.approx(whole[9])


@pytest.mark.parametrize(
    ("name", "interval"),
    [
        ("epoch_1", 1),
        ("epoch_3", 1),
        ("epoch_4", 1),
        ("best_planned_loss_epoch_2", 1),
        ("best_planned_loss_epoch_2", 3),
    ],
)
def test_a_resumed_run_is_stopped_early_where_a_whole_one_is(
    job: dict[str, Any], tmp_path: Path, name: str, interval: int
) -> None:
    stopping = {"type": "EarlyStoppingHook", "monitor": "planned_loss", "patience": 2,
                "min_delta": 0.05}  # fmt: skip
    cfg = planned(job, interval, custom_hooks=[stopping])
    whole, seen = run(cfg)
    assert (whole.epoch, max(seen)) == (4, 4)
    start = f"{cfg['work_dir']}/{name}.pth"
    other = {**cfg, "work_dir": str(tmp_path / "b"), "load_from": start, "resume": True}
    resumed, _ = run(other)
    assert resumed.epoch == 4
    assert Path(other["work_dir"], "last_checkpoint").exists() is (name != "epoch_4")


def test_a_run_that_was_stopped_early_may_be_more_patient(job: dict[str, Any]) -> None:
    stopping = {"type": "EarlyStoppingHook", "monitor": "planned_loss", "patience": 2,
                "min_delta": 0.05}  # fmt: skip
    cfg = planned(job, custom_hooks=[stopping])
    run(cfg)
    patient = {**cfg, "custom_hooks": [{**stopping, "patience": 3}], "resume": True}
    runner, _ = run(patient)
    assert runner.epoch == 8
