"""Parameters are reduced when a metric no longer improves."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, lr_scheduler

from eng.optim import (
    LinearLR,
    OptimWrapper,
    ReduceOnPlateauLR,
    ReduceOnPlateauMomentum,
    ReduceOnPlateauParamScheduler,
)


def optimizer_of(*rates: float, **kwargs: Any) -> SGD:
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates or (1.0,)]
    return SGD(groups, **kwargs)


def validate(scheduler: Any, values: list[float], name: str = "acc") -> list[float]:
    """The first group's rate after each pair of an epoch and its validation."""
    rates = []
    for value in values:
        scheduler.optimizer.step()
        scheduler.step()
        scheduler.step({name: value})
        rates.append(scheduler.optimizer.param_groups[0]["lr"])
    return rates


@pytest.mark.parametrize(
    ("values", "kwargs", "wanted"),
    [
        ([1, 0.9, 0.9, 0.9, 0.9, 0.9], {"patience": 1}, [1, 1, 1, 0.5, 0.5, 0.25]),
        (
            [1] * 6,
            {"rule": "greater", "patience": 0, "cooldown": 1, "min_value": 0.2},
            [1, 0.5, 0.5, 0.25, 0.25, 0.2],
        ),
        ([3] * 6, {"begin": 2, "end": 4, "patience": 0}, [1, 1, 0.5, 0.5, 0.5, 0.5]),
        ([1, 0.95, 0.9], {"threshold": 0.1, "patience": 0}, [1, 0.5, 0.25]),
        (
            [1, 0.95, 0.85],
            {"threshold": 0.1, "threshold_rule": "abs", "patience": 0},
            [1, 0.5, 0.5],
        ),
        ([math.nan] * 3, {"patience": 1}, [1, 0.5, 0.5]),
        ([1, 1, 1], {"patience": 0, "eps": 0.6}, [1, 1, 1]),
    ],
)
def test_it_reduces_after_the_patience(
    values: list[float], kwargs: dict[str, Any], wanted: list[float]
) -> None:
    scheduler = ReduceOnPlateauLR(optimizer_of(), monitor="acc", factor=0.5, **kwargs)
    assert validate(scheduler, values) == pytest.approx(wanted)


@pytest.mark.parametrize("rule", ["less", "greater"])
@pytest.mark.parametrize("threshold_rule", ["rel", "abs"])
def test_it_agrees_with_torch(rule: str, threshold_rule: str) -> None:
    generator = torch.Generator().manual_seed(3)
    values = (torch.rand(60, generator=generator) + 0.5).tolist()
    own, other = optimizer_of(0.5, 0.2), optimizer_of(0.5, 0.2)
    settings: dict[str, Any] = {"factor": 0.7, "patience": 3, "threshold": 0.05, "cooldown": 2}
    scheduler = ReduceOnPlateauLR(
        own, "acc", rule, threshold_rule=threshold_rule, min_value=[0.01, 0.05], **settings
    )
    theirs = lr_scheduler.ReduceLROnPlateau(
        other,
        "min" if rule == "less" else "max",
        threshold_mode=threshold_rule,
        min_lr=[0.01, 0.05],
        **settings,
    )
    for value in values:
        own.step()
        scheduler.step()
        scheduler.step({"acc": value})
        theirs.step(value)
        assert [g["lr"] for g in own.param_groups] == [g["lr"] for g in other.param_groups]
    assert own.param_groups[0]["lr"] < 0.1


@pytest.mark.parametrize("stop", range(7))
def test_a_state_is_continued_from_exactly(stop: int) -> None:
    values = [1, 0.9, 0.9, 0.9, 0.95, 0.9, 0.9, 0.8, 0.8, 0.8]
    settings: dict[str, Any] = {"monitor": "acc", "factor": 0.5, "patience": 1, "cooldown": 1}
    wanted = validate(ReduceOnPlateauLR(optimizer_of(), **settings), [*values])
    stopped, resumed = optimizer_of(), optimizer_of()
    scheduler = ReduceOnPlateauLR(stopped, **settings)
    validate(scheduler, values[:stop])
    other = ReduceOnPlateauLR(resumed, **settings)
    resumed.load_state_dict(stopped.state_dict())
    other.load_state_dict(json.loads(json.dumps(scheduler.state_dict())))
    assert validate(other, values[stop:]) == wanted[stop:]
    assert wanted[-1] < 0.5


def test_steps_taken_once_more_reduce_where_they_did() -> None:
    optimizer = optimizer_of()
    scheduler = ReduceOnPlateauLR(optimizer, "acc", factor=0.5, patience=0)
    validate(scheduler, [1, 1, 0.5, 0.5])
    optimizer.param_groups[0]["lr"] = 1.0
    scheduler.restart()
    scheduler.replay(3)
    assert (scheduler.last_step, optimizer.param_groups[0]["lr"]) == (3, 0.5)
    scheduler.replay(1)
    assert optimizer.param_groups[0]["lr"] == 0.25


def test_it_multiplies_with_a_warm_up() -> None:
    optimizer = optimizer_of()
    schedulers = [
        LinearLR(optimizer, start_factor=0.5, end=3),
        ReduceOnPlateauLR(optimizer, "acc", factor=0.5, patience=1),
    ]
    rates = []
    for value in [1, 1, 1, 1, 0.5, 0.5]:
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
        schedulers[1].step({"acc": value})  # type: ignore[call-arg]
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.75, 1, 0.5, 0.5, 0.5, 0.5])


def test_the_first_beta_is_reduced_as_momentum() -> None:
    adam = Adam([nn.Parameter(torch.zeros(1))])
    scheduler = ReduceOnPlateauMomentum(adam, "acc", factor=0.5, patience=0)
    for _ in range(2):
        adam.step()
        scheduler.step()
        scheduler.step({"acc": 1.0})
    assert adam.param_groups[0]["betas"] == pytest.approx((0.45, 0.999))


def test_the_base_settings_of_a_wrapper_are_reduced_with_its_groups() -> None:
    wrapper = OptimWrapper(optimizer_of(0.4, 0.2, **{"weight_decay": 0.5}))
    scheduler = ReduceOnPlateauParamScheduler(
        wrapper, "weight_decay", "acc", factor=0.5, patience=0, min_value=[0.0, 0.3]
    )
    assert scheduler.min_values == [0.0, 0.3, 0.3]
    for _ in range(2):
        wrapper.step()
        scheduler.step()
        scheduler.step({"acc": 1})
    assert [group["weight_decay"] for group in wrapper.param_groups] == [0.25, 0.3, 0.3]
    assert scheduler.get_last_value() == [0.25, 0.3, 0.3]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"factor": 1.0}, "factor must be below"),
        ({"rule": "min"}, "rule must be one of"),
        ({"threshold_rule": "x"}, "threshold_rule must be one of"),
        ({"threshold": -1}, "threshold must be at least 0"),
        ({"by_epoch": False}, "by_epoch must be True"),
        ({"min_value": [0.1, 0.2]}, "2 values for 1"),
        ({"begin": 3, "end": 3}, "end should be larger"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReduceOnPlateauLR(optimizer_of(), **kwargs)


def test_metrics_that_cannot_be_scheduled_by_are_refused() -> None:
    scheduler = ReduceOnPlateauLR(optimizer_of())
    with pytest.raises(KeyError, match=r"unknown metric 'loss', available: \['acc'\]"):
        scheduler.step({"acc": 1})
    with pytest.raises(TypeError, match="dict, not float"):
        scheduler.step(1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="one number"):
        scheduler.step({"loss": "low"})
    scheduler.step({"loss": torch.tensor(1.0)})
    assert scheduler.best == 1.0
