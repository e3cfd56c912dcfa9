"""Averages of parameters follow their formulas."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from eng.logging import MMLogger
from eng.model import (
    ExponentialMovingAverage,
    MomentumAnnealingEMA,
    StochasticWeightAverage,
)


def walk(average, model, count, seed=3):
    """Change a model again and again, average each time, give all versions."""
    generator = torch.Generator().manual_seed(seed)
    versions = []
    for _ in range(count):
        with torch.no_grad():
            for tensor in (*model.parameters(), *model.buffers()):
                if tensor.is_floating_point():
                    tensor.copy_(torch.randn(tensor.shape, generator=generator))
                else:
                    tensor += 1
        average.update_parameters(model)
        versions.append({name: t.clone() for name, t in model.state_dict().items()})
    return versions


def net():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


@given(
    momentum=st.floats(0.01, 0.5),
    interval=st.integers(1, 4),
    count=st.integers(1, 9),
    buffers=st.booleans(),
)
@settings(deadline=None, max_examples=40)
def test_ema_is_its_formula(momentum, interval, count, buffers):
    model = net()
    ema = ExponentialMovingAverage(model, momentum, interval, update_buffers=buffers)
    versions = walk(ema, model, count)
    wanted = versions[0]
    for step, version in enumerate(versions[1:], start=1):
        if step % interval == 0:
            wanted = {
                n: w + momentum * (version[n] - w) if w.is_floating_point() else version[n]
                for n, w in wanted.items()
            }
    if not buffers:
        # Buffers are those of the model at any time.
        last = versions[-1]
        wanted = {n: w if n.endswith(("weight", "bias")) else last[n] for n, w in wanted.items()}
    assert ema.steps.item() == count
    for name, value in ema.module.state_dict().items():
        torch.testing.assert_close(value, wanted[name], rtol=1e-4, atol=1e-5)


@given(gamma=st.integers(1, 50), count=st.integers(1, 9))
@settings(deadline=None, max_examples=20)
def test_annealing(gamma, count):
    model = net()
    ema = MomentumAnnealingEMA(model, momentum=0.1, gamma=gamma)
    versions = walk(ema, model, count)
    wanted = versions[0]["0.weight"]
    for step, version in enumerate(versions[1:], start=1):
        wanted = torch.lerp(wanted, version["0.weight"], max(0.1, gamma / (gamma + step)))
    torch.testing.assert_close(ema.module[0].weight, wanted)


@given(count=st.integers(1, 12), interval=st.integers(1, 4))
@settings(deadline=None, max_examples=30)
def test_swa_is_the_mean(count, interval):
    model = net()
    swa = StochasticWeightAverage(model, interval=interval)
    versions = walk(swa, model, count)
    seen = [version["0.weight"] for step, version in enumerate(versions) if step % interval == 0]
    torch.testing.assert_close(swa.module[0].weight, torch.stack(seen).mean(0))


def test_single_and_grouped_averaging_agree():
    torch.manual_seed(0)
    a, b, source = torch.randn(3), torch.randn(3), torch.randn(3)
    for average in (
        ExponentialMovingAverage(net(), 0.2),
        MomentumAnnealingEMA(net(), 0.2, gamma=3),
        StochasticWeightAverage(net()),
    ):
        one, many = [a.clone(), b.clone()], [a.clone(), b.clone()]
        for tensor in one:
            average.avg_func(tensor, source, 5)
        average.avg_func_foreach(many, [source, source], 5)
        torch.testing.assert_close(one, many)


def test_an_average_goes_on_from_its_state():
    model = net()
    whole, stopped = (ExponentialMovingAverage(model, 0.3) for _ in range(2))
    for average in (whole, stopped):
        walk(average, net(), 4)
    resumed = ExponentialMovingAverage(net(), 0.3)
    resumed.load_state_dict(stopped.state_dict())
    for average in (whole, resumed):
        walk(average, net(), 3, seed=5)
    assert all(
        torch.equal(a, b)
        for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True)
    )


def test_averages_forward_with_the_average_and_leave_the_model_alone():
    model = net().eval()
    ema = ExponentialMovingAverage(model, 0.5)
    x = torch.randn(4, 2)
    assert torch.equal(ema(x), model(x))
    assert not any(p.requires_grad for p in ema.parameters())
    assert all(p.requires_grad for p in model.parameters())


def test_bad_averages(capsys):
    with pytest.raises(ValueError, match="interval must be at least 1"):
        StochasticWeightAverage(net(), interval=0)
    for momentum in (0, 1, -0.1):
        with pytest.raises(ValueError, match="momentum must be in"):
            ExponentialMovingAverage(net(), momentum)
    MMLogger.get_current_instance().reset_warnings()
    ExponentialMovingAverage(net(), 0.999)
    assert "did you mean 1 - momentum" in capsys.readouterr().out
    with pytest.raises(ValueError, match="gamma must be above 0"):
        MomentumAnnealingEMA(net(), gamma=0)
    for make in (
        lambda: StochasticWeightAverage(net(), interval=0),
        lambda: ExponentialMovingAverage(net(), 1),
        lambda: MomentumAnnealingEMA(net(), gamma=-1),
    ):
        with pytest.raises(AssertionError):
            make()
    with pytest.raises(KeyError, match=r"1\.weight"):
        ExponentialMovingAverage(net()).update_parameters(nn.Sequential(nn.Linear(2, 3)))


def test_the_average_of_a_mixin_takes_precedence_over_that_of_the_class():
    class Newest:
        def avg_func(self, averaged_param, source_param, steps):
            averaged_param.copy_(source_param)

    class Average(Newest, ExponentialMovingAverage):
        pass

    class Both(Average):
        def avg_func_foreach(self, averaged_params, source_params, steps):
            for averaged in averaged_params:
                averaged.fill_(7)

    model = nn.Linear(1, 1)
    for kind, wanted in ((Average, 3.0), (Both, 7.0)):
        average = kind(model)
        average.update_parameters(model)
        with torch.no_grad():
            model.weight.fill_(3.0)
        average.update_parameters(model)
        assert average.module.weight.item() == wanted


@pytest.mark.parametrize("set_steps", ["fill", "assign", "add"])
def test_the_number_of_steps_may_be_set(set_steps):
    model = nn.Linear(1, 1, bias=False)
    average = ExponentialMovingAverage(model, momentum=0.5)
    if set_steps == "fill":
        average.steps.fill_(3)
    elif set_steps == "assign":
        average.steps = torch.tensor(3)
    else:
        average.steps += 3
    before = average.module.weight.item()
    for step in (1, 2):  # averages, and does not copy the parameters first
        with torch.no_grad():
            model.weight.fill_(before + 2)
        average.update_parameters(model)
        assert average.module.weight.item() == pytest.approx(before + 2 - 2 / 2**step)
        assert average.steps.item() == 3 + step


@pytest.mark.parametrize("update_buffers", [False, True])
def test_a_subclass_may_update_by_itself(update_buffers):
    class Own(ExponentialMovingAverage):
        def update_parameters(self, model):
            source = model.state_dict()
            for name, averaged in self.avg_parameters.items():
                if self.steps == 0 or not averaged.dtype.is_floating_point:
                    averaged.data.copy_(source[name])
                else:
                    self.avg_func(averaged.data, source[name], int(self.steps))
            self.steps += 1

    seen = []
    for kind in (Own, ExponentialMovingAverage):
        model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        average = kind(model, momentum=0.25, update_buffers=update_buffers)
        walk(average, model, 4)
        tensors = average.module.state_dict() if update_buffers else average.avg_parameters
        seen.append({name: tensor.clone() for name, tensor in tensors.items()})
    assert seen[0].keys() == seen[1].keys()
    assert len(seen[0]) == (7 if update_buffers else 4)
    assert all(torch.allclose(tensor, seen[1][name]) for name, tensor in seen[0].items())
