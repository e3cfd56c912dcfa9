"""Averages of models that are moved, compiled, tied, wrapped or changed on the way."""

import copy
import gc
import pickle
import weakref

import pytest
import torch
from torch import nn

from eng.model import (
    BaseAveragedModel,
    ExponentialMovingAverage,
    MomentumAnnealingEMA,
    StochasticWeightAverage,
)


def net():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Sequential(nn.Linear(3, 1)))


def changed(model, value):
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.fill_(value)
    return model


def values(model):
    return {name: tensor.flatten()[0].item() for name, tensor in model.state_dict().items()}


def test_buffers_are_copied_at_every_call_or_averaged_when_due():
    for buffers in (False, True):
        model = changed(net(), 0)
        ema = ExponentialMovingAverage(model, 0.5, interval=2, update_buffers=buffers)
        for value in (0, 2, 4, 8):
            ema.update_parameters(changed(model, value))
        got = values(ema.module)
        assert got["0.weight"] == got["2.0.bias"] == 2  # calls 0 and 2: halfway from 0 to 4
        assert got["1.running_mean"] == (2 if buffers else 8)
        assert got["1.num_batches_tracked"] == (4 if buffers else 8)


def test_the_host_counts_for_itself_and_the_state_says_the_same():
    model = net()
    swa = StochasticWeightAverage(model, interval=3)
    for value in range(5):
        swa.update_parameters(changed(model, value))
    assert swa.steps.item() == 5
    assert swa.state_dict()["steps"].item() == 5
    for other in (StochasticWeightAverage(net(), interval=3), copy.deepcopy(swa)):
        other.load_state_dict(swa.state_dict())
        for value in (5, 6):
            other.update_parameters(changed(model, value))
        assert values(other.module)["0.weight"] == pytest.approx((0 + 3 + 6) / 3)
        assert other.steps.item() == 7


def test_an_update_asks_no_tensor_for_its_value():
    # On the meta device nothing has a value, so asking for one is an error.
    model = net()
    for cls in (ExponentialMovingAverage, MomentumAnnealingEMA, StochasticWeightAverage):
        ema = cls(model).to("meta")
        assert ema.steps.device.type == "meta"
        source = copy.deepcopy(model).to("meta")
        for _ in range(3):
            ema.update_parameters(source)


def test_mixed_devices():
    model = changed(net(), 1)
    ema = ExponentialMovingAverage(model, 0.5, device="meta")
    assert {t.device.type for t in ema.state_dict().values()} == {"meta"}
    ema.update_parameters(model)
    ema.update_parameters(model)
    spread = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1, device="meta")])
    ema = ExponentialMovingAverage(spread, 0.5)
    for value in (1, 3):
        nn.init.constant_(spread[0].weight, value)
        ema.update_parameters(spread)
    assert ema.module[0].weight.item() == 2
    assert ema.module[1].weight.is_meta


def test_tied_weights_are_averaged_once_and_stay_tied():
    model = net()
    model.append(nn.Linear(3, 1))
    model[3].weight = model[2][0].weight
    ema = ExponentialMovingAverage(model, 0.5)
    for value in (0, 2):
        ema.update_parameters(changed(model, value))
    assert ema.module[3].weight is ema.module[2][0].weight
    assert values(ema.module)["3.weight"] == 1


def test_compiled_modules():
    for compile_whole in (True, False):
        model = net()
        if compile_whole:
            source = torch.compile(model, backend="eager")
        else:
            model[2] = torch.compile(model[2], backend="eager")
            source = model
        for averaged in (model, source):
            ema = ExponentialMovingAverage(averaged, 0.5)
            for value in (0, 2):
                changed(model, value)
                ema.update_parameters(source)
            inner = getattr(ema.module, "_orig_mod", ema.module)
            assert set(values(inner).values()) == {1.0, 2.0}


def test_a_part_called_module_is_no_wrapper():
    class Holder(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = nn.Linear(1, 1)
            self.other = nn.Linear(1, 1)

    model = Holder()
    ema = ExponentialMovingAverage(model, 0.5)
    for value in (0, 2):
        ema.update_parameters(changed(nn.DataParallel(model), value))
    assert set(values(ema.module).values()) == {1.0}


def test_tensors_and_modules_that_take_the_place_of_others_are_found():
    model = changed(net(), 0)
    ema = ExponentialMovingAverage(model, 0.5)
    ema.update_parameters(model)
    model[1].running_mean = torch.full((3,), 7.0)
    model[0].weight = nn.Parameter(torch.full((3, 2), 4.0))
    ema.update_parameters(model)
    assert values(ema.module)["1.running_mean"] == 7
    assert values(ema.module)["0.weight"] == 2
    model[2][0] = changed(nn.Linear(3, 1), 8)
    ema.update_parameters(model)
    assert values(ema.module)["2.0.weight"] == 4
    ema.update_parameters(changed(net(), 0))
    assert values(ema.module)["2.0.weight"] == 2
    model[2][0].bias = None
    with pytest.raises(KeyError, match=r"2\.0\.bias"):
        ema.update_parameters(model)


def test_a_changed_average_is_noticed_as_well():
    model = changed(net(), 0)
    ema = ExponentialMovingAverage(model, 0.5)
    ema.update_parameters(model)
    ema.module[2] = copy.deepcopy(ema.module[2])
    ema.update_parameters(changed(model, 2))
    assert values(ema.module)["2.0.weight"] == 1
    ema.double()
    ema.update_parameters(changed(model.double(), 3))
    assert values(ema.module)["2.0.weight"] == 2


def test_copies_and_pickles_go_their_own_way():
    model = changed(net(), 0)
    ema = ExponentialMovingAverage(model, 0.5)
    ema.update_parameters(model)
    for other in (copy.deepcopy(ema), pickle.loads(pickle.dumps(ema))):
        other.update_parameters(changed(model, 2))
        assert values(other.module)["0.weight"] == 1
    assert values(ema.module)["0.weight"] == 0


def test_an_average_keeps_no_model_alive():
    model = net()
    ema = ExponentialMovingAverage(model, 0.5)
    ema.update_parameters(model)
    alive = weakref.ref(model[2][0])
    del model
    gc.collect()
    assert alive() is None
    ema.update_parameters(changed(net(), 1))


def test_only_avg_func_has_to_be_written():
    class Newest(BaseAveragedModel):
        def avg_func(self, averaged_param, source_param, steps):
            averaged_param.copy_(source_param + steps)

    model = net()
    average = Newest(model)
    for value in (0, 5):
        average.update_parameters(changed(model, value))
    assert values(average.module)["0.weight"] == 6


def test_a_kind_of_average_with_an_avg_func_of_its_own_is_averaged_by_it():
    class Halved(ExponentialMovingAverage):
        def avg_func(self, averaged_param, source_param, steps):
            averaged_param.mul_(0.5).add_(source_param, alpha=0.25)

    class Grouped(Halved):
        def avg_func_foreach(self, averaged_params, source_params, steps):
            torch._foreach_zero_(list(averaged_params))

    class Further(Halved):
        pass

    for cls, wanted in ((Halved, 3), (Further, 3), (Grouped, 0)):
        model = net()
        average = cls(model, momentum=0.1)
        for value in (4, 4):
            average.update_parameters(changed(model, value))
        assert values(average.module)["0.weight"] == wanted


def test_complex_parameters_are_averaged():
    model = nn.Module()
    model.weight = nn.Parameter(torch.zeros(1, dtype=torch.complex64))
    ema = ExponentialMovingAverage(model, 0.5)
    for value in (0, 2 + 4j):
        ema.update_parameters(changed(model, value))
    assert ema.module.weight.item() == 1 + 2j


def test_a_model_without_tensors():
    ema = ExponentialMovingAverage(nn.ReLU(), 0.5)
    ema.update_parameters(nn.ReLU())
    ema.update_parameters(nn.ReLU())
    assert ema.steps.item() == 2
