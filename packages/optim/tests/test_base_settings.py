"""The settings of an optimizer are scheduled beside those of its groups."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, Optimizer

from eng.optim import (
    AmpOptimWrapper,
    BaseOptimWrapper,
    MultiStepLR,
    OneCycleLR,
    OptimWrapper,
    OptimWrapperDict,
)

RATES = [1.0, 1.0, 2.0, 1.0, 1.0, 0.5, 2.0]


def optimizer_of(rates: list[float], kind: Any = SGD, **kwargs: Any) -> Optimizer:
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates]
    return kind(groups, lr=1.0, **kwargs)


@pytest.mark.parametrize("kind", [OptimWrapper, AmpOptimWrapper])
def test_the_base_rate_is_scheduled_saved_and_restored(kind: Any) -> None:
    wrapper = kind(optimizer=optimizer_of(RATES))
    assert len(wrapper.param_groups) == 8
    scheduler = MultiStepLR(wrapper, milestones=[1], gamma=0.1)
    wrapper.step()
    scheduler.step()
    wanted = {"base_lr": [0.1], "lr": pytest.approx([rate / 10 for rate in RATES])}
    assert wrapper.get_lr() == {**wanted, "base_lr": pytest.approx([0.1])}
    assert list(wrapper.get_lr()) == ["base_lr", "lr"]
    assert len(scheduler.base_values) == 8
    assert wrapper.get_momentum() == {"momentum": [0] * 7}

    state = wrapper.state_dict()
    resumed = kind(optimizer=optimizer_of(RATES))
    resumed.load_state_dict(state)
    assert "base_param_settings" in state  # taken by nobody
    assert resumed.get_lr() == wrapper.get_lr()


def test_one_group_has_its_settings_itself() -> None:
    wrapper = OptimWrapper(optimizer_of([1.0]))
    assert wrapper.base_param_settings is None
    assert wrapper.get_lr() == {"lr": [1.0]}
    assert len(wrapper.param_groups) == 1
    assert "base_param_settings" not in wrapper.state_dict()


def test_several_wrappers_have_base_rates_by_name() -> None:
    wrappers = OptimWrapperDict(
        a=OptimWrapper(optimizer_of([0.5, 0.25])), b=OptimWrapper(optimizer_of([0.1]))
    )
    rates = wrappers.get_lr()
    assert rates == {"a.base_lr": [1.0], "a.lr": [0.5, 0.25], "b.lr": [0.1]}


def test_states_without_base_settings_are_continued_from() -> None:
    stopped, resumed = (OptimWrapper(optimizer_of(RATES)) for _ in range(2))
    scheduler = MultiStepLR(stopped, milestones=[1, 3], gamma=0.1)
    stopped.step()
    scheduler.step()
    other = MultiStepLR(resumed, milestones=[1, 3], gamma=0.1)
    resumed.load_state_dict(stopped.optimizer.state_dict())
    state = scheduler.state_dict()
    shorter = {**state, "base_values": state["base_values"][:-1], "_last_value": [0.1] * 7}
    other.load_state_dict(shorter)
    assert (len(shorter["base_values"]), len(other.base_values)) == (7, 8)
    assert resumed.get_lr() == stopped.get_lr()
    for _ in range(2):
        resumed.step()
        other.step()
    assert resumed.get_lr()["base_lr"] == pytest.approx([0.01])

    alone = optimizer_of(RATES)
    plain = MultiStepLR(alone, milestones=[1, 3], gamma=0.1)
    plain.load_state_dict(state)
    assert len(plain.base_values) == 7


def test_a_highest_rate_for_each_group_is_enough() -> None:
    wrapper = OptimWrapper(optimizer_of([0.5, 0.25], kind=Adam))
    OneCycleLR(wrapper, eta_max=[1.0, 2.0], total_steps=10)
    rates = wrapper.get_lr()
    assert [*rates["base_lr"], *rates["lr"]] == pytest.approx([0.08, 0.04, 0.08])
    with pytest.raises(ValueError, match="4 values for 2"):
        OneCycleLR(wrapper, eta_max=[1.0, 2.0, 3.0, 4.0], total_steps=10)


def test_a_wrapper_of_another_engine_derives_from_the_base() -> None:
    with pytest.raises(TypeError, match="abstract"):
        BaseOptimWrapper(optimizer_of([1.0]))  # type: ignore[abstract]

    class Other(BaseOptimWrapper):
        def update_params(
            self, loss: Any, step_kwargs: Any = None, zero_kwargs: Any = None
        ) -> None:
            self.backward(loss)
            self.step()
            self.zero_grad()

        def backward(self, loss: Any, **kwargs: Any) -> None:
            loss.backward()

        def zero_grad(self, **kwargs: Any) -> None:
            self.optimizer.zero_grad()

        def step(self, **kwargs: Any) -> None:
            self.optimizer.step()

    with pytest.raises(TypeError, match="must be a torch"):
        Other("SGD")  # type: ignore[arg-type]
    wrapper = Other(optimizer_of([1.0]))
    scheduler = MultiStepLR(wrapper, milestones=[1], gamma=0.1)
    parameter = wrapper.param_groups[0]["params"][0]
    wrapper.update_params((parameter - 1).square().sum())
    scheduler.step()
    assert parameter.item() == 2.0
    assert wrapper.get_lr() == {"lr": [pytest.approx(0.1)]}
    assert isinstance(OptimWrapper(optimizer_of([1.0])), BaseOptimWrapper)


@pytest.mark.parametrize("dtype", AmpOptimWrapper.valid_dtypes)
def test_mixed_precision_of_any_type_trains(dtype: str) -> None:
    model = nn.Linear(2, 1)
    wrapper = AmpOptimWrapper(dtype=dtype, optimizer=SGD(model.parameters(), lr=0.1))
    with wrapper.optim_context(model):
        out = model(torch.ones(1, 2))
    is_cast = dtype in ("float16", "bfloat16")
    assert out.dtype is (getattr(torch, dtype) if is_cast else torch.float32)
