"""Half cosines with restarts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam

from eng.optim import CosineRestartLR, CosineRestartMomentum, CosineRestartParamScheduler


def optimizer_of(*rates: float) -> SGD:
    return SGD([{"params": [nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates])


def rates_of(optimizer: Any, scheduler: Any, count: int) -> list[list[float]]:
    rates = [[group["lr"] for group in optimizer.param_groups]]
    for _ in range(count):
        optimizer.step()
        scheduler.step()
        rates.append([group["lr"] for group in optimizer.param_groups])
    return rates


@pytest.mark.parametrize(
    ("kwargs", "wanted"),
    [
        (
            {"periods": [3, 4], "restart_weights": [1, 0.5], "eta_min": 0.1},
            [1, 0.775, 0.325, 0.5, 0.44142136, 0.3, 0.15857864, 0.15857864, 0.15857864],
        ),
        (
            {"periods": [2, 2], "restart_weights": [1, 1], "eta_min_ratio": 0.1, "begin": 1},
            [1, 1, 0.55, 1, 0.55, 0.55],
        ),
        ({"periods": [2], "eta_min": 0}, [1, 0.5, 0.5]),
        ({"periods": [1, 1], "restart_weights": [1, 2], "eta_min": 0}, [1, 2, 2]),
        ({"periods": [4], "eta_min": 0, "end": 2}, [1, 0.85355339, 0.85355339, 0.85355339]),
    ],
)
def test_each_period_falls_from_its_weight(kwargs: dict[str, Any], wanted: list[float]) -> None:
    optimizer = optimizer_of(1.0, 0.5)
    scheduler = CosineRestartLR(optimizer, **kwargs)
    got = rates_of(optimizer, scheduler, len(wanted) - 1)
    assert [first for first, _ in got] == pytest.approx(wanted)
    if "eta_min_ratio" in kwargs or not kwargs["eta_min"]:
        assert [second for _, second in got] == pytest.approx([value / 2 for value in wanted])


@pytest.mark.parametrize(
    "kwargs",
    [
        {"periods": [2]},
        {"periods": [2], "eta_min": 0, "eta_min_ratio": 0.1},
        {"periods": [2, 3], "eta_min": 0},
        {"periods": [2, 3], "restart_weights": [1], "eta_min": 0},
        {"periods": [], "restart_weights": [], "eta_min": 0},
        {"periods": [0], "eta_min": 0},
        {"periods": 5, "eta_min": 0},
        {"periods": [2.5], "eta_min": 0},
        {"periods": ["2"], "eta_min": 0},
    ],
)
def test_settings_that_cannot_be_right_are_refused(kwargs: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="CosineRestartLR"):
        CosineRestartLR(optimizer_of(1.0), **kwargs)


def test_periods_in_epochs_become_iterations() -> None:
    scheduler = CosineRestartLR.build_iter_from_epoch(
        optimizer_of(1.0),
        periods=[2, 3],
        restart_weights=[1, 1],
        eta_min=0,
        begin=1,
        end=4,
        epoch_length=10,
    )
    assert isinstance(scheduler, CosineRestartLR)
    assert (scheduler.periods, scheduler.cumulative_periods) == ([20, 30], [20, 50])
    assert (scheduler.begin, scheduler.end) == (10, 40)


def test_momentum_and_any_parameter_restart_as_well() -> None:
    adam = Adam([nn.Parameter(torch.zeros(1))], betas=(0.8, 0.99), weight_decay=0.4)
    settings: dict[str, Any] = {"periods": [2, 2], "restart_weights": [1, 0.5], "eta_min": 0}
    schedulers = [
        CosineRestartMomentum(adam, **settings),
        CosineRestartParamScheduler(adam, "weight_decay", **settings),
    ]
    seen = []
    for _ in range(3):
        adam.step()
        for scheduler in schedulers:
            scheduler.step()
        group = adam.param_groups[0]
        seen += [group["betas"][0], group["betas"][1], group["weight_decay"]]
    assert seen == pytest.approx([0.4, 0.99, 0.2, 0.4, 0.99, 0.2, 0.2, 0.99, 0.1])
