import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import SGD, Adam

sys.path.insert(0, str(Path(__file__).parent))

from optim_cases import batches, make_model, read_log

from eng.logging import MessageHub
from eng.optim import (
    OptimWrapper,
)


@given(total=st.integers(1, 12), every=st.integers(1, 5))
@settings(deadline=None, max_examples=40)
def test_accumulation_updates_with_the_mean_of_each_cycle_also_of_the_last_short_one(total, every):
    model, plain = make_model(), make_model()
    wrapper = OptimWrapper(SGD(model.parameters(), lr=0.1), accumulative_counts=every)
    wrapper.initialize_count_status(model, 0, total)
    data = batches(total)
    updates = 0
    for batch in data:
        before = model[0].weight.clone()
        with wrapper.optim_context(model):
            loss = model(batch).square().mean()
        wrapper.update_params(loss)
        updates += not torch.equal(before, model[0].weight)
    assert updates <= -(-total // every)
    assert wrapper.inner_count == total
    optimizer = SGD(plain.parameters(), lr=0.1)
    for start in range(0, total, every):
        cycle = data[start : start + every]
        optimizer.zero_grad()
        for batch in cycle:
            (plain(batch).square().mean() / len(cycle)).backward()
        optimizer.step()
    for ours, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_gradients_are_shared_only_when_a_cycle_is_complete():
    class Shared(nn.Linear):
        quiet = 0

        def no_sync(self):
            self.quiet += 1
            return nullcontext()

    model = Shared(3, 1)
    wrapper = OptimWrapper(SGD(model.parameters(), lr=0.1), accumulative_counts=3)
    wrapper.initialize_count_status(model, 0, 7)
    quiet = []
    for batch in batches(7):
        before = model.quiet
        with wrapper.optim_context(model):
            loss = model(batch).sum()
        quiet.append(model.quiet > before)
        wrapper.update_params(loss)
    assert quiet == [True, True, False, True, True, False, False]


def test_clipping_bounds_the_gradient_and_records_its_norm_before():
    hub = MessageHub.get_instance("clipping")
    model = make_model()
    wrapper = OptimWrapper(SGD(model.parameters(), lr=1.0), clip_grad={"max_norm": 0.01})
    assert wrapper.message_hub is hub
    before = [p.detach().clone() for p in model.parameters()]
    loss = model(batches(1)[0]).square().sum()
    norm = torch.cat(
        [g.flatten() for g in torch.autograd.grad(loss, model.parameters(), retain_graph=True)]
    ).norm()
    wrapper.update_params(loss)
    moved = torch.cat([(a - b).flatten() for a, b in zip(before, model.parameters(), strict=True)])
    assert moved.norm().item() == pytest.approx(0.01, rel=1e-3)
    assert float(hub.get_scalar("train/grad_norm").current()) == pytest.approx(
        norm.item(), rel=1e-5
    )
    assert all(p.grad is None for p in model.parameters())


def test_clipping_by_value():
    model = make_model()
    wrapper = OptimWrapper(
        SGD(model.parameters(), lr=1.0), clip_grad={"type": "value", "clip_value": 0.001}
    )
    before = [p.detach().clone() for p in model.parameters()]
    wrapper.update_params(model(batches(1)[0]).square().sum())
    moved = [(a - b).abs().max() for a, b in zip(before, model.parameters(), strict=True)]
    assert max(moved).item() == pytest.approx(0.001, rel=1e-2)


def test_zero_and_step_arguments_are_passed_on():
    model = make_model()
    wrapper = OptimWrapper(SGD(model.parameters(), lr=1.0))
    wrapper.update_params(model(batches(1)[0]).sum(), zero_kwargs={"set_to_none": False})
    assert all(p.grad is not None and not p.grad.any() for p in model.parameters())


def test_settings_and_state():
    model = make_model()
    wrapper = OptimWrapper(Adam(model.parameters(), lr=0.1, betas=(0.7, 0.9)))
    assert wrapper.get_lr() == {"lr": [0.1]}
    assert wrapper.get_momentum() == {"momentum": [0.7]}
    assert wrapper.defaults["lr"] == 0.1
    wrapper.update_params(model(batches(1)[0]).sum())
    other = OptimWrapper(Adam(make_model().parameters(), lr=9.0))
    other.load_state_dict(wrapper.state_dict())
    assert other.get_lr() == {"lr": [0.1]}
    assert torch.equal(
        other.state_dict()["state"][0]["exp_avg"], wrapper.state_dict()["state"][0]["exp_avg"]
    )
    assert "accumulative_counts: 1" in repr(wrapper)
    for counts in (np.int64(2), 32 / 16, np.float64(2)):
        made = OptimWrapper(SGD(model.parameters(), lr=0.1), accumulative_counts=counts)
        assert type(made.accumulative_counts) is int
        assert made.accumulative_counts == 2


@pytest.mark.parametrize(
    ("kwargs", "error", "match"),
    [
        ({"optimizer": "SGD"}, TypeError, "not str"),
        ({"accumulative_counts": 2.5}, TypeError, "must be an int, not 2.5"),
        ({"accumulative_counts": "2"}, TypeError, "must be an int, not str"),
        ({"accumulative_counts": 0}, ValueError, "at least 1, not 0"),
        ({"clip_grad": 1.0}, TypeError, "clip_grad must be a dict"),
        ({"clip_grad": {"type": "nrm", "max_norm": 1}}, ValueError, "'norm', 'value'.*not 'nrm'"),
        ({"clip_grad": {"type": "norm"}}, AssertionError, "clipping by norm needs arguments"),
    ],
)
def test_bad_wrappers(kwargs, error, match):
    kwargs = {"optimizer": SGD(make_model().parameters(), lr=0.1), **kwargs}
    with pytest.raises(error, match=match) as caught:
        OptimWrapper(**kwargs)
    assert isinstance(caught.value, AssertionError) == ("type" not in str(caught.value))


def test_training_that_is_gone_on_with_in_the_same_process_has_lost_no_gradients(capfd, caplog):
    model = nn.Linear(1, 1)
    wrapper = OptimWrapper(SGD(model.parameters(), lr=0.1), accumulative_counts=2)
    wrapper.initialize_count_status(model, 0, 6)
    for _ in range(3):
        with wrapper.optim_context(model):
            wrapper.update_params(model(torch.ones(1)).sum())
    wrapper.initialize_count_status(model, 3, 6)
    assert "are lost" not in read_log(capfd, caplog)
    other = OptimWrapper(SGD(model.parameters(), lr=0.1), accumulative_counts=2)
    other.initialize_count_status(model, 3, 6)
    assert "the gradients of 1 of them are lost" in read_log(capfd, caplog)


def test_an_optimizer_of_another_model_is_warned_of_once(capfd, caplog):
    model, other = make_model(), make_model()
    wrapper = OptimWrapper(SGD(other.parameters(), lr=0.1))
    with wrapper.optim_context(model):
        pass
    text = read_log(capfd, caplog)
    assert "None of the 4 parameters of the optimizer SGD belongs to the model Sequential" in text
    with wrapper.optim_context(model):
        pass
    with wrapper.optim_context(nn.ModuleList([model, other])):
        pass  # a model may have more
    with OptimWrapper(SGD([*model.parameters(), *other.parameters()], 0.1)).optim_context(model):
        pass  # and so may an optimizer
    assert "None of" not in read_log(capfd, caplog)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_nan_loss_stops_training_if_asked_to(bad):
    model = make_model()
    batch = batches(1)[0]
    before = [p.detach().clone() for p in model.parameters()]
    wrapper = OptimWrapper(SGD(model.parameters(), lr=0.1), stop_on_nan_loss=True)
    wrapper.initialize_count_status(model, 7, 20)
    losses = {"loss_a": model(batch).sum() * 0 + 2, "loss_b": model(batch).sum() * 0 + bad}
    with pytest.raises(FloatingPointError, match=rf"iteration 8: loss_b is {bad} .*loss_a is 2\.0"):
        wrapper.check_losses({**losses, "acc": torch.tensor(float("nan"))})
    with pytest.raises(FloatingPointError, match=f"iteration 8: loss is {bad}"):
        wrapper.update_params(sum(losses.values()))
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert wrapper.inner_count == 7
    wrapper.update_params(losses["loss_a"])
    lenient = OptimWrapper(SGD(model.parameters(), lr=0.1))
    lenient.check_losses(losses)
    lenient.update_params(model(batch).sum() + bad)
    assert lenient.inner_count == 1
