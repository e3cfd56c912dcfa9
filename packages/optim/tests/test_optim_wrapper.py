import os
import subprocess
import sys
from contextlib import nullcontext

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import SGD, Adam

from eng import optim
from eng.logging import MessageHub
from eng.optim import (
    TORCH_OPTIMIZERS,
    AmpOptimWrapper,
    DefaultOptimWrapperConstructor,
    OptimWrapper,
    OptimWrapperDict,
    build_optim_wrapper,
)
from eng.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIMIZERS


def make_model(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))


def batches(count):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(5, 3, generator=generator) for _ in range(count)]


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


@pytest.mark.parametrize(
    ("kwargs", "error", "match"),
    [
        ({"optimizer": "SGD"}, TypeError, "not str"),
        ({"accumulative_counts": 2.0}, TypeError, "must be an int, not float"),
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


def read_log(capfd, caplog):
    captured = capfd.readouterr()
    text = captured.out + captured.err + caplog.text
    caplog.clear()
    return text


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


def test_bfloat16_on_the_cpu(monkeypatch):
    monkeypatch.setattr("eng.optim.optimizer.amp_optimizer_wrapper.get_device", lambda: "cpu")
    model, plain = make_model(), make_model()
    wrapper = AmpOptimWrapper(optimizer=SGD(model.parameters(), lr=0.1), accumulative_counts=1)
    optimizer = SGD(plain.parameters(), lr=0.1)
    for batch in batches(3):
        with wrapper.optim_context(model):
            out = model(batch)
            assert out.dtype is torch.bfloat16
            loss = out.float().square().mean()
        wrapper.update_params(loss)
        with torch.autocast("cpu", torch.bfloat16):
            loss = plain(batch).float().square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert wrapper.inner_count == 3
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), plain.parameters(), strict=True)
    )
    assert "loss_scaler" in wrapper.state_dict()
    AmpOptimWrapper(optimizer=optimizer).load_state_dict(wrapper.state_dict())


def test_float16_scales_the_loss_and_skips_an_update_that_overflows(monkeypatch):
    monkeypatch.setattr("eng.optim.optimizer.amp_optimizer_wrapper.get_device", lambda: "cpu")
    weight = nn.Parameter(torch.ones(2))
    wrapper = AmpOptimWrapper(
        loss_scale=8,
        dtype="float16",
        optimizer=SGD([weight], lr=0.5),
        clip_grad={"max_norm": 100.0},
    )
    wrapper.update_params((weight * torch.tensor([1.0, 2.0])).sum())
    assert weight.tolist() == [0.5, 0.0]
    wrapper.update_params((weight * float("inf")).sum())
    assert weight.tolist() == [0.5, 0.0]
    assert wrapper.state_dict()["loss_scaler"]["scale"] == 4
    other = AmpOptimWrapper(dtype="float16", optimizer=SGD([weight], lr=0.5))
    other.load_state_dict(wrapper.state_dict())
    assert other.loss_scaler.get_scale() == 4


def test_an_amp_state_and_a_plain_one_are_exchanged():
    make = lambda: SGD(make_model().parameters(), lr=0.25, momentum=0.5)  # noqa: E731
    amp, plain = AmpOptimWrapper(optimizer=make()), OptimWrapper(make())
    plain.load_state_dict(amp.state_dict())
    amp.load_state_dict(plain.state_dict())
    assert amp.get_lr() == {"lr": [0.25]}


@pytest.mark.parametrize(
    ("kwargs", "error"),
    [
        ({"loss_scale": None}, TypeError),
        ({"loss_scale": "static"}, ValueError),
        ({"dtype": "int8"}, ValueError),
    ],
)
def test_bad_amp(kwargs, error):
    with pytest.raises(error, match=r"loss_scale must be|dtype should be one of"):
        AmpOptimWrapper(optimizer=SGD(make_model().parameters(), lr=0.1), **kwargs)


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


def test_optimizers_of_installed_libraries_are_found_by_entry_point(tmp_path):
    (tmp_path / "stranger.py").write_text(
        "import torch\n"
        "from eng.registry import OPTIMIZERS\n"
        "@OPTIMIZERS.register_module()\n"
        "class StrangerSGD(torch.optim.SGD): pass\n"
    )
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[eng.modules]\noptimizer = stranger\n")
    code = (
        "import torch; from eng.optim import build_optim_wrapper\n"
        "model = torch.nn.Linear(1, 1)\n"
        "for kind in ('StrangerSGD', 'torch.optim.SGD'):\n"
        "    cfg = dict(optimizer=dict(type=kind, lr=0.5))\n"
        "    print(type(build_optim_wrapper(model, cfg).optimizer).__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["StrangerSGD", "SGD"], done.stderr


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


def test_an_optimizer_that_is_not_registered_is_reported_as_that():
    with pytest.raises(KeyError, match="SDG is not in the eng::optimizer registry"):
        build_optim_wrapper(make_model(), {"optimizer": {"type": "SDG", "lr": 1}})


def test_registries_can_be_imported_from_here():
    assert optim.OPTIMIZERS is OPTIMIZERS
    assert optim.OPTIM_WRAPPER_CONSTRUCTORS is OPTIM_WRAPPER_CONSTRUCTORS
    assert {"OPTIMIZERS", "OPTIM_WRAPPER_CONSTRUCTORS"} <= set(optim.__all__)


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


def test_every_optimizer_of_torch_is_registered():
    assert {"SGD", "Adam", "AdamW", "RMSprop", "LBFGS"} <= set(TORCH_OPTIMIZERS)
    assert "Optimizer" not in TORCH_OPTIMIZERS
    assert OPTIMIZERS.get("AdamW") is torch.optim.AdamW


def make_dict():
    a, b = make_model(1), make_model(2)
    return a, b, OptimWrapperDict(
        a=OptimWrapper(SGD(a.parameters(), lr=0.1, momentum=0.5)),
        b=OptimWrapper(Adam(b.parameters(), lr=0.2)),
    )  # fmt: skip


def test_dict_of_wrappers():
    a, _, wrappers = make_dict()
    assert list(wrappers.keys()) == ["a", "b"]
    assert len(wrappers) == 2
    assert "a" in wrappers
    assert dict(wrappers.items())["b"] is wrappers["b"] is list(wrappers.values())[1]
    assert wrappers.get_lr() == {"a.lr": [0.1], "b.lr": [0.2]}
    assert wrappers.get_momentum() == {"a.momentum": [0.5], "b.momentum": [0.9]}
    assert set(wrappers.param_groups) == set(wrappers.defaults) == {"a", "b"}
    wrappers["a"].backward(a(batches(1)[0]).sum())
    wrappers.zero_grad()
    assert all(p.grad is None for p in a.parameters())
    wrappers["a"].update_params(a(batches(1)[0]).sum())
    _, _, other = make_dict()
    other.load_state_dict(wrappers.state_dict())
    assert torch.equal(
        other["a"].state_dict()["state"][0]["momentum_buffer"],
        wrappers["a"].state_dict()["state"][0]["momentum_buffer"],
    )
    with pytest.raises(KeyError, match=r"unexpected key 'c' .*; expected") as caught:
        wrappers.load_state_dict({"c": {}})
    assert isinstance(caught.value, AssertionError)


def test_a_dict_of_wrappers_has_no_update_of_its_own():
    _, _, wrappers = make_dict()
    for call in (wrappers.update_params, wrappers.backward):
        with pytest.raises(NotImplementedError, match=r"call .* of one of its wrappers \(a, b\)"):
            call(torch.zeros(1))
    with pytest.raises(NotImplementedError):
        wrappers.step()
    for count in ("inner_count", "accumulative_counts"):
        with pytest.raises(NotImplementedError, match=count):
            getattr(wrappers, count)
    wrappers.check_losses({"loss": torch.tensor(float("nan"))})
    wrappers["a"].stop_on_nan_loss = True
    with pytest.raises(FloatingPointError, match="loss is nan"):
        wrappers.check_losses({"loss": torch.tensor(float("nan"))})
    with pytest.raises(TypeError, match="'a' must be an OptimWrapper, not SGD") as caught:
        OptimWrapperDict(a=SGD(make_model().parameters(), lr=1))
    assert isinstance(caught.value, AssertionError)
