"""Batch normalisation folded into the convolution before it."""

import copy
import io
import pickle

import pytest
import torch
from torch import fx, nn

from eng.model import (
    efficient_conv_bn_eval_control,
    efficient_conv_bn_eval_forward,
    efficient_conv_bn_eval_graph_transform,
    turn_on_efficient_conv_bn_eval,
    turn_on_efficient_conv_bn_eval_for_single_model,
)


class Block(nn.Module):
    """Two pairs, and a part that is another in training mode."""

    def __init__(self, width=4):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, bias=False)
        self.bn = nn.BatchNorm2d(width)
        self.down = nn.Sequential(nn.Conv2d(width, width, 1), nn.BatchNorm2d(width), nn.ReLU())

    def forward(self, x):
        return self.down(torch.relu(self.bn(self.conv(x))))


def randomized(module):
    """The module with statistics and parameters that make a difference."""
    torch.manual_seed(0)
    for part in module.modules():
        if hasattr(part, "running_var") and part.running_var is not None:
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.weight is not None:
            nn.init.normal_(part.weight)
            nn.init.normal_(part.bias)
    return module


def folded(module):
    """Names of modules whose forward was replaced."""
    return [name for name, part in module.named_modules() if "forward" in vars(part)]


@pytest.mark.parametrize(
    ("conv", "bn", "shape"),
    [
        (nn.Conv1d(4, 6, 3, padding=1, bias=False), nn.BatchNorm1d(6), (2, 4, 9)),
        (nn.Conv2d(4, 6, 3, stride=2, groups=2), nn.BatchNorm2d(6), (2, 4, 9, 9)),
        (nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"), nn.BatchNorm2d(6), (2, 4, 5, 5)),
        (nn.Conv2d(4, 6, 3, padding="same", dilation=2), nn.SyncBatchNorm(6), (2, 4, 9, 9)),
        (nn.Conv3d(4, 6, 2), nn.BatchNorm3d(6, affine=False), (2, 4, 5, 5, 5)),
        (nn.ConvTranspose1d(4, 6, 3), nn.BatchNorm1d(6), (2, 4, 9)),
        (
            nn.ConvTranspose2d(4, 6, 3, 2, groups=2, output_padding=1, bias=False),
            nn.BatchNorm2d(6, eps=0.1),
            (2, 4, 5, 5),
        ),
        (nn.ConvTranspose3d(4, 6, 2), nn.BatchNorm3d(6), (2, 4, 3, 3, 3)),
    ],
)
def test_every_kind_of_convolution_gives_the_same(conv, bn, shape):
    model = randomized(nn.Sequential(conv, bn)).eval().double()
    x = torch.randn(shape, dtype=torch.float64)
    expected = model(x)
    torch.testing.assert_close(efficient_conv_bn_eval_forward(bn, conv, x), expected)
    turn_on_efficient_conv_bn_eval_for_single_model(model)
    assert folded(model) == [""]
    torch.testing.assert_close(model(x), expected)


def test_only_normalisation_in_evaluation_mode_is_folded():
    model = randomized(Block())
    same = copy.deepcopy(model)
    turn_on_efficient_conv_bn_eval(same, ["", "down"])
    assert folded(same) == ["", "down"]
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(same(x), model(x), rtol=0, atol=0)
    torch.testing.assert_close(same.bn.running_mean, model.bn.running_mean, rtol=0, atol=0)
    for each in (model, same):
        each.bn.eval()
    torch.testing.assert_close(same(x), model(x))
    torch.testing.assert_close(same.eval()(x), model.eval()(x))


def test_gradients_reach_the_parameters_of_both():
    model = randomized(Block()).eval()
    same = copy.deepcopy(model)
    turn_on_efficient_conv_bn_eval_for_single_model(same)
    x = torch.randn(2, 3, 8, 8)
    model(x).square().sum().backward()
    same(x).square().sum().backward()
    for (name, one), other in zip(model.named_parameters(), same.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad, rtol=1e-3, atol=1e-3, msg=name)


def test_the_result_of_a_convolution_is_not_kept():
    model = randomized(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))).eval()
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.shape), lambda t: t):
        model(torch.randn(2, 3, 8, 8))
        before = kept.count((2, 4, 6, 6))
        kept.clear()
        turn_on_efficient_conv_bn_eval_for_single_model(model)
        model(torch.randn(2, 3, 8, 8))
    assert (before, kept.count((2, 4, 6, 6))) == (1, 0)


def test_copies_states_and_pickles_still_work():
    model = randomized(Block()).eval()
    names = list(model.state_dict())
    turn_on_efficient_conv_bn_eval_for_single_model(model)
    assert list(model.state_dict()) == names
    x = torch.randn(1, 3, 8, 8)
    expected = model(x)
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.conv.weight.zero_()
    torch.testing.assert_close(model(x), expected, rtol=0, atol=0)
    assert not torch.equal(other(x), expected)
    torch.testing.assert_close(pickle.loads(pickle.dumps(model))(x), expected)
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    torch.testing.assert_close(torch.load(buffer, weights_only=False)(x), expected)


class Function(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.bn = nn.BatchNorm2d(3)

    def forward(self, x):
        return self.bn(torch.relu(self.conv(x)))


class TwoUsers(Function):
    def forward(self, x):
        y = self.conv(x)
        return self.bn(y) + y


class Branch(Function):
    def forward(self, x):
        y = self.bn(self.conv(x))
        return y if y.sum() > 0 else -y


class Training(Function):
    def forward(self, x):
        return self.bn(self.conv(x)) * (2 if self.training else 1)


class Remembers(Function):
    def forward(self, x):
        self.last = self.bn(self.conv(x))
        return self.last


class Counts(Function):
    calls = 0

    def forward(self, x):
        self.calls = self.calls + 1
        return self.bn(self.conv(x))


class Noise(Function):
    def forward(self, x):
        return self.bn(self.conv(x)) + torch.ones(1)


@pytest.mark.parametrize("kind", [Function, TwoUsers])
def test_what_is_no_pair_is_left_alone(kind, caplog):
    model = randomized(kind()).eval()
    turn_on_efficient_conv_bn_eval_for_single_model(model)
    assert folded(model) == []
    assert not caplog.records


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (Branch, "cannot be traced"),
        (Training, "differs between training and evaluation mode"),
        (Remembers, "sets attributes"),
        (Counts, "sets attributes"),
        (Noise, "creates tensors"),
    ],
)
def test_what_cannot_be_traced_is_left_alone_with_a_warning(kind, fault, capfd):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = randomized(kind())
            self.second = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))

        def forward(self, x):
            return self.second(self.first(x))

    model = Model().eval()
    model.first.bn.train()
    before = dict(vars(model.first))
    turn_on_efficient_conv_bn_eval(model, "first")
    assert folded(model) == []
    assert dict(vars(model.first)) == before
    assert (model.first.training, model.first.bn.training) == (False, True)
    turn_on_efficient_conv_bn_eval_for_single_model(model)
    assert folded(model) == ["second"]
    captured = capfd.readouterr()
    assert fault in captured.out + captured.err
    assert "first" in captured.out + captured.err


def test_hooks_still_run():
    model = randomized(Block()).eval()
    expected = model.conv(torch.ones(1, 3, 8, 8))
    turn_on_efficient_conv_bn_eval_for_single_model(model)
    seen = []
    model.conv.register_forward_hook(lambda module, args, output: seen.append(output))
    model.down[1].register_forward_pre_hook(lambda module, args: seen.append("norm"))
    model.down.register_forward_hook(lambda module, args, output: seen.append("down"))
    model(torch.ones(1, 3, 8, 8))
    torch.testing.assert_close(seen[0], expected)
    assert seen[1:] == ["norm", "down"]


def test_turning_on_twice_is_turning_on_once():
    model = randomized(Block()).eval()
    x = torch.randn(1, 3, 8, 8)
    expected = model(x)
    for _ in range(2):
        turn_on_efficient_conv_bn_eval_for_single_model(model)
    torch.testing.assert_close(model(x), expected)


def test_a_traced_model_is_transformed():
    model = randomized(Block()).eval()
    traced = fx.symbolic_trace(model)
    efficient_conv_bn_eval_graph_transform(traced)
    targets = [node.target for node in traced.graph.nodes]
    assert targets.count(efficient_conv_bn_eval_control) == 2
    assert "bn" not in [node.target for node in traced.graph.nodes if node.op == "call_module"]
    x = torch.randn(1, 3, 8, 8)
    torch.testing.assert_close(traced(x), model(x))


def test_half_precision_keeps_its_type():
    conv, bn = nn.Conv2d(3, 4, 1).bfloat16(), nn.BatchNorm2d(4).bfloat16()
    model = randomized(nn.Sequential(conv, bn)).eval()
    x = torch.randn(1, 3, 2, 2, dtype=torch.bfloat16)
    result = efficient_conv_bn_eval_control(bn, conv, x)
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(result, model(x), rtol=0.05, atol=0.05)


def test_names_must_be_parts_of_the_model():
    with pytest.raises(AttributeError, match="nope"):
        turn_on_efficient_conv_bn_eval(Block(), "nope")
    model = Block()
    with pytest.raises(AttributeError, match="nope"):
        turn_on_efficient_conv_bn_eval(model, ["down", "nope"])
    assert folded(model) == []
    with pytest.raises(TypeError, match="modules must be a name"):
        turn_on_efficient_conv_bn_eval(model, 3)
