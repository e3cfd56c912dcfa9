import logging
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from eng.checkpoint import CheckpointError
from eng.logging import MMLogger
from eng.model import (
    BaseInit,
    BaseModule,
    Caffe2XavierInit,
    ConstantInit,
    KaimingInit,
    ModuleList,
    NormalInit,
    PretrainedInit,
    Sequential,
    TruncNormalInit,
    UniformInit,
    XavierInit,
    bias_init_with_prob,
    caffe2_xavier_init,
    constant_init,
    initialize,
    kaiming_init,
    normal_init,
    trunc_normal_,
    trunc_normal_init,
    uniform_init,
    update_init_info,
    xavier_init,
)
from eng.registry import WEIGHT_INITIALIZERS


def layer():
    return nn.Linear(300, 200)


# Each form, and the standard deviation and bounds that its formula gives for 300 -> 200.
FORMS = [
    (xavier_init, XavierInit, {"gain": 2}, 2 * math.sqrt(2 / 500), None),
    (
        xavier_init, XavierInit, {"distribution": "uniform"},
        math.sqrt(2 / 500), (-math.sqrt(6 / 500), math.sqrt(6 / 500)),
    ),
    (normal_init, NormalInit, {"std": 0.5}, 0.5, None),
    (uniform_init, UniformInit, {"a": -1, "b": 3}, 4 / math.sqrt(12), (-1, 3)),
    (kaiming_init, KaimingInit, {}, math.sqrt(2 / 200), None),
    (kaiming_init, KaimingInit, {"mode": "fan_in"}, math.sqrt(2 / 300), None),
    (
        kaiming_init, KaimingInit,
        {"distribution": "uniform", "a": 1, "nonlinearity": "leaky_relu"},
        math.sqrt(1 / 200), (-math.sqrt(3 / 200), math.sqrt(3 / 200)),
    ),
    (
        caffe2_xavier_init, Caffe2XavierInit, {},
        math.sqrt(1 / 300), (-math.sqrt(3 / 300), math.sqrt(3 / 300)),
    ),
    (trunc_normal_init, TruncNormalInit, {"std": 10, "a": -1, "b": 1}, 2 / math.sqrt(12), (-1, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("function", "initializer", "kwargs", "std", "bounds"), FORMS)
def test_both_forms_draw_from_the_distribution(function, initializer, kwargs, std, bounds):
    one, other = layer(), nn.Sequential(layer())
    torch.manual_seed(0)
    function(one, bias=3, **kwargs)
    torch.manual_seed(0)
    initializer(layer="Linear", bias=3, **kwargs)(other)
    assert torch.equal(one.weight, other[0].weight)
    assert one.bias.unique().tolist() == other[0].bias.unique().tolist() == [3]
    assert one.weight.std().item() == pytest.approx(std, rel=0.02)
    if bounds is not None:
        assert bounds[0] <= one.weight.min() < one.weight.max() <= bounds[1]
        assert one.weight.min().item() == pytest.approx(bounds[0], rel=0.02)


def test_constants_and_layers_without_weight_or_bias():
    linear = nn.Linear(2, 2)
    constant_init(linear, 5, bias=6)
    assert (linear.weight.unique().item(), linear.bias.unique().item()) == (5, 6)
    for module in (nn.Linear(2, 2, bias=False), nn.BatchNorm1d(2, affine=False), nn.ReLU()):
        constant_init(module, 1)
        normal_init(module)
    assert trunc_normal_ is nn.init.trunc_normal_


@given(prob=st.floats(1e-6, 1 - 1e-6))
@settings(deadline=None)
def test_the_bias_gives_the_probability(prob):
    assert torch.sigmoid(torch.tensor(bias_init_with_prob(prob), dtype=torch.float64)).item() == (
        pytest.approx(prob)
    )


def test_only_layers_of_the_named_classes_and_those_derived_from_them():
    model = nn.Sequential(nn.Conv1d(1, 1, 1), nn.Conv2d(1, 1, 1), nn.Linear(1, 1))
    ConstantInit(val=7, bias_prob=0.25, layer=["_ConvNd"])(model)
    assert [part.weight.flatten().tolist() == [7] for part in model] == [True, True, False]
    assert model[0].bias.item() == pytest.approx(-math.log(3))
    ConstantInit(val=8)(model)  # without a layer nothing is meant
    assert not any(part.weight.flatten().tolist() == [8] for part in model)


def test_a_config_without_a_layer_is_warned_of(caplog, capfd):
    model = nn.Sequential(nn.Linear(1, 1))
    with caplog.at_level(logging.WARNING):
        initialize(model, dict(type="Constant", val=8, override=dict(name="0")))
    captured = capfd.readouterr()
    assert "has no effect" not in captured.out + captured.err + caplog.text
    with caplog.at_level(logging.WARNING):
        initialize(model, dict(type="Constant", val=7))
    captured = capfd.readouterr()
    text = captured.out + captured.err + caplog.text
    assert "ConstantInit has no effect without a layer" in text
    assert model[0].weight.item() == 8


def test_a_layer_that_is_not_there_is_warned_of(caplog, capfd):
    with caplog.at_level(logging.WARNING):
        ConstantInit(val=7, layer=["Conv2D", "Lin"])(layer())
        ConstantInit(val=8, layer=["Conv2d", "Linear"])(layer())
        ConstantInit(val=9)(layer())
    captured = capfd.readouterr()
    text = captured.out + captured.err + caplog.text
    assert "ConstantInit has no effect: Linear has no layer of Conv2D, Lin" in text
    assert "Conv2d" not in text


def test_short_and_full_names_are_registered():
    for cls in (ConstantInit, XavierInit, NormalInit, TruncNormalInit, UniformInit, KaimingInit,
                Caffe2XavierInit, PretrainedInit):  # fmt: skip
        assert WEIGHT_INITIALIZERS.get(cls.__name__) is cls
        assert WEIGHT_INITIALIZERS.get(cls.__name__.removesuffix("Init")) is cls


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: ConstantInit(1, bias="0"), TypeError, "bias must be a number, not str"),
        (lambda: ConstantInit(1, bias_prob=1), TypeError, "bias_prob must be a float, not int"),
        (lambda: ConstantInit(1, layer=3), TypeError, "layer must be a str or a list"),
        (lambda: bias_init_with_prob(1.0), ValueError, r"in \(0, 1\), not 1.0"),
        (lambda: xavier_init(layer(), distribution="x"), ValueError, "'normal', 'uniform'.*'x'"),
        (lambda: kaiming_init(layer(), distribution="x"), ValueError, "'normal', 'uniform'.*'x'"),
        (lambda: BaseInit(layer="Linear")(layer()), NotImplementedError, "_layer_init"),
    ],
)
def test_bad_input(make, error, match):
    with pytest.raises(error, match=match):
        make()


# ------------------------------------------------------------------ configs


class FooNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.feat = nn.Conv1d(3, 4, 1)
        self.reg = nn.Conv2d(4, 4, 1)
        self.cls = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Linear(2, 2))


def values(module):
    return module.weight.unique().tolist(), module.bias.unique().tolist()


def test_layers_with_configs_of_their_own():
    module = nn.Sequential(nn.Conv1d(3, 1, 3), nn.Linear(1, 2))
    initialize(
        module,
        [{"type": "Constant", "layer": "Conv1d", "val": 1},
         {"type": "Constant", "layer": "Linear", "val": 2}],
    )  # fmt: skip
    assert values(module[0]) == ([1], [0])
    assert values(module[1]) == ([2], [0])


def test_override_by_settings_of_its_own():
    model = FooNet()
    cfg = {
        "type": "Constant", "val": 1, "bias": 2, "layer": ["Conv1d", "Conv2d"],
        "override": {"type": "Constant", "name": "reg", "val": 3, "bias": 4},
    }  # fmt: skip
    initialize(model, cfg)
    assert [values(m) for m in (model.feat, model.reg, model.cls[0])] == [
        ([1], [2]), ([3], [4]), ([1], [2])
    ]  # fmt: skip
    assert len(values(model.cls[1])[0]) > 1
    assert cfg["override"]["name"] == "reg"


def test_override_with_a_name_alone_reaches_all_layers_of_the_child_and_nothing_else():
    model = FooNet()
    before = model.feat.weight.clone()
    initialize(model, {"type": "Constant", "val": 1, "bias": 2, "override": {"name": "cls"}})
    assert values(model.cls[0]) == values(model.cls[1]) == ([1], [2])
    assert torch.equal(model.feat.weight, before)


def test_pretrained_and_a_part_of_it(tmp_path):
    source = FooNet()
    path = str(tmp_path / "model.pth")
    torch.save({"state_dict": {f"module.{n}": v for n, v in source.state_dict().items()}}, path)
    whole = FooNet()
    initialize(whole, {"type": "Pretrained", "checkpoint": path})
    assert all(
        torch.equal(a, b) for a, b in zip(whole.parameters(), source.parameters(), strict=True)
    )
    for prefix in ("cls.", "cls"):
        part = FooNet().cls
        PretrainedInit(path, prefix=prefix)(part)
        assert torch.equal(part[1].weight, source.cls[1].weight)
    with pytest.raises(
        CheckpointError, match=r"no keys with the prefix 'neck\.'; it has \['cls', 'feat', 'reg'\]"
    ):
        PretrainedInit(path, prefix="neck")(FooNet())


def test_what_is_pretrained_is_not_overwritten_by_children(tmp_path):
    def make(init_cfg=None):
        child = Sequential(
            nn.Linear(1, 1), init_cfg={"type": "Constant", "val": 9, "layer": "Linear"}
        )
        return ModuleList([child], init_cfg=init_cfg)

    path = str(tmp_path / "model.pth")
    torch.save({"0.0.weight": torch.full((1, 1), 3.0), "0.0.bias": torch.zeros(1)}, path)
    model = make([{"type": PretrainedInit, "checkpoint": path}])
    model.init_weights()
    assert model[0][0].weight.item() == 3
    plain = make()
    plain.init_weights()
    assert plain[0][0].weight.item() == 9


# ------------------------------------------------------------------ the record


class Own(BaseModule):
    """Initialises itself, in part by hand."""

    def __init__(self):
        super().__init__({"type": "Constant", "val": 1, "layer": "Linear"})
        self.linear = nn.Linear(2, 2)
        self.scale = nn.Parameter(torch.ones(1))
        self.kept = nn.Parameter(torch.ones(1))

    def init_weights(self):
        super().init_weights()
        nn.init.constant_(self.scale, 5)


class Top(BaseModule):
    def __init__(self):
        super().__init__({"type": "Normal", "std": 0.1, "layer": "Conv1d"})
        self.conv = nn.Conv1d(1, 1, 1)
        self.own = Own()


@pytest.fixture
def log_file(tmp_path):
    path = tmp_path / "run.log"
    MMLogger.get_instance(f"record_{tmp_path.name}", log_file=str(path), log_level="INFO")
    return lambda: path.read_text()


def test_the_record_says_once_what_initialised_each_parameter(log_file, capfd):
    model = Top()
    model.init_weights()
    text = log_file()
    assert text.count("Parameters of Top were initialized by") == 1
    assert "Parameters of Own" not in text
    blocks, info = {}, None
    for line in text.splitlines():
        if line.startswith("    "):
            blocks[line.split()[0]] = info
        elif line.startswith("  "):
            info = line.strip()
    assert blocks == {
        "conv.weight": "NormalInit: bias=0, mean=0, std=0.1",
        "conv.bias": "NormalInit: bias=0, mean=0, std=0.1",
        "own.linear.weight": "ConstantInit: bias=0, val=1",
        "own.linear.bias": "ConstantInit: bias=0, val=1",
        "own.scale": "init_weights of Own",
        "own.kept": "as before init_weights of Top",
    }
    assert "conv.weight" not in capfd.readouterr().out  # the file alone has the long list
    assert not any(hasattr(part, "_params_init_info") for part in model.modules())


class WithLazyLayers(BaseModule):
    """Gives some of its lazy layers their values while it is initialised."""

    def __init__(self):
        super().__init__(dict(type="Constant", val=2, layer="Conv2d"))
        self.conv = nn.Conv2d(1, 1, 1)
        self.later = nn.LazyLinear(2)
        self.norm = nn.LazyBatchNorm1d()
        self.now = LazyChild()


class LazyChild(BaseModule):
    def __init__(self):
        super().__init__()
        self.linear = nn.LazyLinear(2)

    def init_weights(self):
        self.linear(torch.ones(1, 3))
        nn.init.zeros_(self.linear.weight)


def test_lazy_layers_are_recorded_and_get_their_values_later(log_file):
    model = WithLazyLayers()
    model.init_weights()
    assert log_file().splitlines()[-11:] == [
        "  ConstantInit: bias=0, val=2",
        "    conv.weight (1, 1, 1, 1)",
        "    conv.bias (1,)",
        "  as before init_weights of WithLazyLayers",
        "    later.weight (by the first batch)",
        "    later.bias (by the first batch)",
        "    norm.weight (by the first batch)",
        "    norm.bias (by the first batch)",
        "  init_weights of LazyChild",
        "    now.linear.weight (2, 3)",
        "    now.linear.bias (2,)",
    ]
    assert model.norm(model.later(torch.ones(2, 5))).shape == (2, 2)


def test_the_record_goes_where_the_log_goes_if_that_has_no_file(tmp_path, capfd):
    MMLogger.get_instance(f"plain_{tmp_path.name}", log_level="INFO")
    Top().init_weights()
    captured = capfd.readouterr()
    assert "own.scale" in captured.out + captured.err


def test_other_ranks_log_no_record(log_file, monkeypatch):
    monkeypatch.setattr("eng.model.weight_init.record.is_main_process", lambda: False)
    Top().init_weights()
    assert "Parameters of" not in log_file()


def test_an_error_leaves_no_trace_of_the_record(log_file):
    model = Top()
    model.init_cfg = {"type": "Nonsense"}
    with pytest.raises(KeyError, match="Nonsense"):
        model.init_weights()
    assert not any(hasattr(part, "_params_init_info") for part in model.modules())
    assert not model.is_init
    assert "Parameters of" not in log_file()


@given(values=st.lists(st.floats(-10, 10, width=32), min_size=2, max_size=2))
@settings(deadline=None, max_examples=25)
def test_a_note_is_taken_only_where_values_changed(values):
    class Module(BaseModule):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(2))
            self.seen = None

        def init_weights(self):
            with torch.no_grad():
                self.weight.copy_(torch.tensor(values))
            update_init_info(self, "by hand")
            self.seen = self._params_init_info[self.weight]["init_info"]

    module = Module()
    Sequential(module).init_weights()
    assert (module.seen == "by hand") == any(values)
    update_init_info(module, "outside of it nothing is noted")


def test_a_plain_wrapper_is_looked_through():
    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

    class Outer(BaseModule):
        def __init__(self):
            super().__init__()
            self.inner = Wrapper(Own())

    outer = Outer()
    outer.init_weights()
    assert outer.inner.module.scale.item() == 5
    done = Outer()
    done.inner.module.is_init = True
    done.init_weights()
    assert done.inner.module.scale.item() == 1


def test_running_again_is_warned_of(caplog, capfd):
    module = Own()
    module.init_weights()
    nn.init.zeros_(module.linear.weight)
    with caplog.at_level(logging.WARNING):
        super(Own, module).init_weights()
    captured = capfd.readouterr()
    assert "has already run" in captured.out + captured.err + caplog.text
    assert module.linear.weight.unique().item() == 0


def test_a_model_keeps_the_record_of_its_own_initialisation(log_file):
    class Hand(BaseModule):
        """Notes by hand how its parameter was initialised, as well as its mean."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2))
            self.late = None

        def init_weights(self):
            with torch.no_grad():
                self.weight.fill_(3)
            entry = self._params_init_info[self.weight]
            assert isinstance(entry["init_info"], str)
            assert entry["tmp_mean_value"].item() == 1
            entry["init_info"] = "by its own rule"
            entry["tmp_mean_value"] = self.weight.data.mean().cpu()
            self.late = nn.Parameter(torch.zeros(1))
            self._params_init_info[self.late]["init_info"] = "made while initialising"
            self._is_init = True

    class Parent(BaseModule):
        def __init__(self):
            super().__init__()
            self.hand = Hand()

        def init_weights(self):
            super().init_weights()
            update_init_info(self, "a later note on what has not changed")

        def _dump_init_info(self):
            record = self._params_init_info
            assert record is self.hand._params_init_info
            self.dumped = {n: record[p]["init_info"] for n, p in self.named_parameters()}
            super()._dump_init_info()

    outer = Sequential(Parent())
    outer.init_weights()
    assert "by its own rule" in log_file()
    assert "made while initialising" in log_file()
    assert "a later note" not in log_file()
    parent = Parent()
    parent.init_weights()
    assert parent.dumped == {
        "hand.weight": "by its own rule",
        "hand.late": "made while initialising",
    }
    assert not hasattr(parent, "_params_init_info")


def test_types_of_initialisers_and_layers_may_be_classes():
    class Net(BaseModule):
        def __init__(self):
            super().__init__(
                [
                    {"type": ConstantInit, "val": 2, "layer": nn.Linear},
                    {"type": ConstantInit, "val": 3, "layer": [nn.Conv1d, "Conv2d"]},
                ]
            )
            self.parts = nn.ModuleList([nn.Linear(1, 1), nn.Conv1d(1, 1, 1), nn.Conv2d(1, 1, 1)])

    net = Net()
    net.init_weights()
    assert [part.weight.item() for part in net.parts] == [2, 3, 3]


def test_a_pretrained_checkpoint_given_by_its_class_comes_last(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"linear.weight": torch.full((1, 1), 7.0), "linear.bias": torch.zeros(1)}, path)

    class Child(BaseModule):
        def __init__(self):
            super().__init__({"type": "Constant", "val": 1, "layer": "Linear"})
            self.linear = nn.Linear(1, 1)

    class Net(BaseModule):
        def __init__(self):
            super().__init__({"type": PretrainedInit, "checkpoint": str(path), "prefix": "net."})
            self.net = Child()

    net = Net()
    net.init_cfg = {"type": PretrainedInit, "checkpoint": str(path)}
    net.linear = net.net.linear
    net.init_weights()
    assert net.net.linear.weight.item() == 7
