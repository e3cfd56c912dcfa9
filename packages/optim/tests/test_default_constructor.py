"""Per-parameter settings of optimizers."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim import SGD

sys.path.insert(0, str(Path(__file__).parent))

from optim_cases import batches, make_model, read_log

from eng.optim import (
    DefaultOptimWrapperConstructor,
    build_optim_wrapper,
)
from eng.registry import OPTIMIZERS


class DeformConv2d(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, 1))
        self.bias = nn.Parameter(torch.zeros(1))
        self.conv_offset = nn.Conv2d(2, 2, 1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 3)
        self.depthwise = nn.Conv2d(8, 8, 3, groups=8)
        self.norm = nn.BatchNorm2d(8)
        self.deform = DeformConv2d()
        self.scale = nn.Parameter(torch.zeros(3))


def settings_by_name(paramwise_cfg, model=None, **optimizer):
    model = model or Net()
    wrapper = build_optim_wrapper(
        model,
        {
            "type": "OptimWrapper",
            "optimizer": {"type": "SGD", "lr": 1.0, "weight_decay": 1.0, **optimizer},
            "paramwise_cfg": paramwise_cfg,
        },
    )
    groups = {id(g["params"][0]): g for g in wrapper.optimizer.param_groups}
    return {
        name: (groups[id(p)]["lr"], groups[id(p)]["weight_decay"])
        for name, p in model.named_parameters()
        if id(p) in groups
    }


def test_rules_for_single_parameters():
    got = settings_by_name(
        {
            "bias_lr_mult": 2,
            "bias_decay_mult": 3,
            "norm_decay_mult": 5,
            "dwconv_decay_mult": 7,
            "flat_decay_mult": 11,
            "dcn_offset_lr_mult": 13,
        }
    )
    assert got == {
        "scale": (1, 11),
        "conv.weight": (1, 1),
        "conv.bias": (2, 3),
        "depthwise.weight": (1, 7),
        "depthwise.bias": (2, 3),
        "norm.weight": (1, 5),
        "norm.bias": (1, 5),
        "deform.weight": (1, 1),
        "deform.bias": (2, 3),
        "deform.conv_offset.weight": (13, 1),
        "deform.conv_offset.bias": (13, 1),
    }


def test_flat_decay_reaches_what_no_other_given_rule_does():
    got = settings_by_name({"flat_decay_mult": 0})
    assert {name for name, (_, decay) in got.items() if decay == 0} == {
        "scale", "conv.bias", "depthwise.bias", "norm.weight", "norm.bias", "deform.bias"
    }  # fmt: skip


def test_the_longest_custom_key_wins_over_every_rule():
    got = settings_by_name(
        {
            "custom_keys": {
                "conv": {"lr_mult": 0.5},
                "conv.bias": {"lr_mult": 0.25, "decay_mult": 0},
            },
            "bias_lr_mult": 9,
        }
    )
    assert got["conv.weight"] == (0.5, 1)
    assert got["conv.bias"] == (0.25, 0)
    assert got["deform.conv_offset.bias"] == (0.5, 1)
    assert got["depthwise.bias"] == (9, 1)


def test_what_matches_nothing_is_warned_of_by_name(caplog, capfd):
    model = make_model()
    model[0].requires_grad_(False)
    with caplog.at_level("WARNING"):
        settings_by_name(
            {
                "custom_keys": {"backbone": {"lr_mult": 0.1}, "2.weight": {}, "hed": {}},
                "norm_decay_mult": 0.0,
                "bias_lr_mult": 2.0,
            },
            model,
        )
    captured = capfd.readouterr()
    text = captured.out + captured.err + caplog.text
    wording = "custom_keys that do not match any trainable parameter of Sequential: backbone, hed"
    assert wording in text
    assert "rules that do not match any trainable parameter of Sequential: norm_decay_mult" in text
    assert "bias_lr_mult" not in text
    settings_by_name({"custom_keys": {"2.weight": {}}, "bias_lr_mult": 2.0}, model)
    captured = capfd.readouterr()
    assert "match" not in captured.out + captured.err


def test_a_wrapper_is_looked_through_but_not_a_part_that_is_called_module():
    inner = make_model()
    custom_keys = {"module": {"lr_mult": 0.5}, "0.": {"lr_mult": 0.25}}
    cfg = {
        "optimizer": {"type": "SGD", "lr": 1.0},
        "paramwise_cfg": {"custom_keys": custom_keys},
    }
    looked_through = build_optim_wrapper(nn.DataParallel(inner), cfg)
    assert [group["lr"] for group in looked_through.optimizer.param_groups] == [
        0.25,
        0.25,
        1.0,
        1.0,
    ]
    wrapped = nn.Module()
    wrapped.module = inner
    part = build_optim_wrapper(wrapped, cfg)
    assert [group["lr"] for group in part.optimizer.param_groups] == [0.5] * 4
    wrapped.head = nn.Linear(1, 1)
    names = [
        {id(p) for p in g["params"]}
        for g in build_optim_wrapper(wrapped, cfg).optimizer.param_groups
    ]
    assert len(names) == 6
    assert {id(wrapped.head.weight)} in names


def test_names_are_those_of_the_model_itself_where_parts_are_wrapped(capfd):
    model = nn.ModuleDict({"body": torch.compile(make_model(), backend="eager"), "head": Net()})
    got = settings_by_name(
        {"custom_keys": {"body.0": {"lr_mult": 0.5}, "body.2": {"lr_mult": 0.25}}}, model
    )
    lrs = {name: lr for name, (lr, _) in got.items() if name.startswith("body")}
    assert list(lrs.values()) == [0.5, 0.5, 0.25, 0.25]
    captured = capfd.readouterr()
    assert "match no" not in captured.out + captured.err


def test_custom_keys_may_set_anything_of_a_group():
    model = make_model()
    constructor = DefaultOptimWrapperConstructor(
        {"optimizer": {"type": "SGD", "lr": 1.0}},
        {"custom_keys": {"0.weight": {"momentum": 0.5, "lr_mult": 0.1}}},
    )
    group = constructor(model).param_groups[0]
    assert (group["momentum"], group["lr"], group["lr_mult"]) == (0.5, 0.1, 0.1)


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        # The biases of norm layers are biases, unless norm layers have a rule of their own.
        ({"bias_decay_mult": 0}, {"norm.bias": 0, "depthwise.bias": 0, "norm.weight": 1}),
        ({"bias_decay_mult": 0, "norm_decay_mult": 5}, {"norm.bias": 5, "norm.weight": 5}),
        ({"bias_decay_mult": 0, "norm_decay_mult": None}, {"norm.bias": 0, "norm.weight": 1}),
        ({"bias_decay_mult": 0, "norm_decay_mult": 1}, {"norm.bias": 1, "conv.bias": 0}),
        ({"dwconv_decay_mult": 7}, {"depthwise.bias": 7, "depthwise.weight": 7, "conv.bias": 1}),
        ({"dwconv_decay_mult": 7, "bias_decay_mult": 3}, {"depthwise.bias": 3}),
        ({"flat_decay_mult": 2, "bias_decay_mult": 3}, {"norm.bias": 3, "norm.weight": 2}),
        ({"flat_decay_mult": 2, "norm_decay_mult": 5}, {"scale": 2, "norm.weight": 5}),
        ({"flat_decay_mult": 2, "dwconv_decay_mult": 7}, {"depthwise.bias": 7, "conv.bias": 2}),
        ({"bias_decay_mult": 3}, {"deform.bias": 3, "deform.conv_offset.bias": 1}),
    ],
)
def test_a_rule_that_is_not_given_claims_no_parameter(rules, wanted):
    got = settings_by_name(rules)
    assert {name: got[name][1] for name in wanted} == wanted


@pytest.mark.parametrize("norm", [nn.BatchNorm1d, nn.LayerNorm, nn.InstanceNorm1d])
def test_the_learning_rate_of_biases_leaves_norm_layers_alone(norm):
    model = nn.ModuleDict({"norm": norm(4, **({} if norm is nn.LayerNorm else {"affine": True}))})
    assert settings_by_name({"bias_lr_mult": 2, "bias_decay_mult": 0}, model)["norm.bias"] == (1, 0)


def test_a_convolution_of_one_channel_is_not_depthwise():
    model = nn.ModuleDict({"one": nn.Conv2d(1, 8, 3), "two": nn.Conv2d(2, 8, 3, groups=2)})
    got = settings_by_name({"dwconv_decay_mult": 7}, model)
    assert {name: decay for name, (_, decay) in got.items()} == {
        "one.weight": 1, "one.bias": 1, "two.weight": 7, "two.bias": 7
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "names"),
    [
        (".conv", {"conv.weight", "conv.bias", "deform.conv_offset.weight"}),
        (".scale", {"scale"}),
        ("m.weight", {"norm.weight", "deform.weight"}),
    ],
)
def test_a_custom_key_may_begin_with_a_dot(key, names):
    got = settings_by_name({"custom_keys": {key: {"lr_mult": 3}}})
    assert {name for name, (lr, _) in got.items() if lr == 3} - {"deform.conv_offset.bias"} == names


def test_frozen_parameters_are_in_no_group_if_there_are_rules():
    model = Net()
    model.conv.requires_grad_(False)
    model.norm.weight.requires_grad_(False)
    got = settings_by_name({"bias_lr_mult": 2}, model)
    frozen = {"conv.weight", "conv.bias", "norm.weight"}
    assert set(got) == {name for name, _ in model.named_parameters()} - frozen
    for paramwise in (None, {}):
        wrapper = build_optim_wrapper(
            model, {"optimizer": {"type": "SGD", "lr": 1.0}, "paramwise_cfg": paramwise}
        )
        assert len(wrapper.param_groups) == 1
        assert len(wrapper.param_groups[0]["params"]) == len(list(model.parameters()))


def test_a_parameter_that_is_thawed_without_a_group_is_named_once(capfd, caplog):
    model = make_model()
    model[0].requires_grad_(False)
    cfg = {"optimizer": {"type": "SGD", "lr": 0.5}, "paramwise_cfg": {"bias_lr_mult": 2}}
    with caplog.at_level("INFO"):
        wrapper = build_optim_wrapper(model, cfg)
    assert "2 frozen parameters are excluded from the optimizer: 0.weight, 0.bias" in read_log(
        capfd, caplog
    )
    with wrapper.optim_context(model):
        pass
    assert "not in its groups" not in read_log(capfd, caplog)
    model[0].weight.requires_grad_(True)
    wrapper.update_params(model(batches(1)[0]).sum())
    text = read_log(capfd, caplog)
    assert "not in its groups" in text
    assert "0.weight" in text
    assert "0.bias" not in text
    model[0].bias.requires_grad_(True)
    with wrapper.optim_context(model):
        pass
    text = read_log(capfd, caplog)
    assert "0.bias" in text
    assert "0.weight" not in text
    with wrapper.optim_context(model):
        pass
    assert "not in its groups" not in read_log(capfd, caplog)


class LayerDecay(DefaultOptimWrapperConstructor):
    def add_params(self, params, module, **kwargs):
        for name, parameter in module.named_parameters():
            depth = self.paramwise_cfg["num_layers"] - int(name.split(".")[0])
            group = {"params": [parameter]}
            if not self._is_in(group, params):
                scale = self.paramwise_cfg["decay_rate"] ** depth
                params.append({**group, "lr": self.base_lr * scale})


@pytest.mark.parametrize("more", [{}, {"backbone_lr_mult": 1}, {"decay_type": "stage_wise"}])
def test_a_subclass_has_rules_of_its_own(more, capfd, caplog):
    constructor = LayerDecay(
        {"optimizer": {"type": "SGD", "lr": 8.0}}, {"num_layers": 2, "decay_rate": 0.5, **more}
    )
    groups = constructor(make_model()).optimizer.param_groups
    assert [group["lr"] for group in groups] == [2.0, 2.0, 8.0, 8.0]
    assert not constructor._is_in({"params": [nn.Parameter(torch.zeros(1))]}, groups)
    assert constructor._is_in(groups[0], groups[:1])
    text = read_log(capfd, caplog)
    assert "decay_rate" not in text
    assert "mult" not in text
    # A factor that only it knows scales something that only it knows.
    LayerDecay({"optimizer": {"type": "SGD"}}, {"backbone_lr_mult": 1, "layer_decay_mult": 2})


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        ("bias_mult", "did you mean 'bias_lr_mult'?"),
        ("norm_decay_mul", "did you mean 'norm_decay_mult'?"),
        ("custom_key", "did you mean 'custom_keys'?"),
        ("bypass_duplicates", "did you mean 'bypass_duplicate'?"),
        ("num_layers", "accepted: custom_keys, bias_lr_mult"),
    ],
)
def test_an_unknown_rule_is_warned_of_with_the_closest_name(rule, hint, capfd, caplog):
    DefaultOptimWrapperConstructor({"optimizer": {"type": "SGD", "lr": 1.0}}, {rule: 0})
    text = read_log(capfd, caplog)
    assert f"paramwise_cfg has the key {rule!r}" in text
    assert hint in text


class OtherName(SGD):
    def __init__(self, model_params, lr):
        super().__init__(model_params, lr)


class NoName(SGD):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


@pytest.mark.parametrize("kind", [OtherName, NoName, "OtherName", "NoName", SGD])
@pytest.mark.parametrize("paramwise", [None, {"bias_lr_mult": 2}])
def test_the_first_argument_of_an_optimizer_has_any_name(kind, paramwise):
    for cls in (OtherName, NoName):
        OPTIMIZERS.register_module(module=cls, force=True)
    try:
        cfg = {"optimizer": {"type": kind, "lr": 0.5}, "paramwise_cfg": paramwise}
        wrapper = build_optim_wrapper(make_model(), cfg)
    finally:
        for cls in (OtherName, NoName):
            OPTIMIZERS.module_dict.pop(cls.__name__)
    assert type(wrapper.optimizer).__name__ == (kind if isinstance(kind, str) else kind.__name__)
    assert sum(len(group["params"]) for group in wrapper.optimizer.param_groups) == 4


def test_duplicates_are_an_error_or_taken_once():
    model = make_model()
    model.again = model[0]
    model.tied = nn.Linear(3, 4)
    model.tied.weight = model[0].weight
    with pytest.raises(ValueError, match=r"duplicate parameter 'tied.weight'.* under another name"):
        settings_by_name({"bias_lr_mult": 2}, model)
    assert settings_by_name({"bias_lr_mult": 2, "bypass_duplicate": True}, model)["tied.bias"] == (
        2,
        1,
    )


@pytest.mark.parametrize(
    ("cfg", "paramwise", "error", "match"),
    [
        ([], None, TypeError, "optim_wrapper_cfg must be a dict"),
        ({"optimizer": {"type": "SGD"}}, [1], TypeError, "paramwise_cfg must be a dict"),
        ({"type": "OptimWrapper"}, None, ValueError, "must have an 'optimizer'"),
        (
            {"optimizer": {"type": "SGD", "lr": 1}},
            {"norm_decay_mult": 0},
            ValueError,
            "weight_decay",
        ),
        ({"optimizer": {"type": "SGD"}}, {"bias_lr_mult": 2}, ValueError, "bias_lr_mult.*'lr'"),
        (
            {"optimizer": {"type": "SGD"}},
            {"custom_keys": {"head": {"lr_mult": 2}}},
            ValueError,
            r"custom_keys\['head'\].*'lr'",
        ),
        ({"optimizer": {"type": "SGD"}}, {"custom_keys": [1]}, TypeError, "custom_keys must be a"),
    ],
)
def test_bad_configs(cfg, paramwise, error, match):
    with pytest.raises(error, match=match) as caught:
        DefaultOptimWrapperConstructor(cfg, paramwise)
    assert isinstance(caught.value, AssertionError)
