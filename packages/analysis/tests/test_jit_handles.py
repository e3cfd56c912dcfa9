"""Counts of single operators."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))

from analysis_models import Calls

from eng.analysis import ActivationAnalyzer, FlopAnalyzer
from eng.analysis.einsum_cost import einsum_cost
from eng.analysis.jit_handles import conv_flop_count

ONES, ZEROS = torch.ones(4), torch.zeros(4)
IMAGE = torch.rand(1, 2, 3, 3)


def rand(*shapes: tuple[int, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.rand(shape) for shape in shapes)


OPERATORS: dict[str, tuple[Any, tuple[torch.Tensor, ...], float, int]] = {
    "matmul": (torch.matmul, rand((2, 3, 4), (4, 5)), 120, 30),
    "matrix with vector": (torch.matmul, rand((3, 4), (4,)), 12, 3),
    "vector with matrix": (torch.matmul, rand((4,), (4, 5)), 20, 5),
    "two vectors": (torch.matmul, rand((4,), (4,)), 4, 1),
    "matmul broadcasts": (torch.matmul, rand((3, 4), (2, 4, 5)), 120, 30),
    "mm": (torch.mm, rand((3, 4), (4, 5)), 60, 0),
    "bmm": (torch.bmm, rand((2, 3, 4), (2, 4, 5)), 120, 30),
    "baddbmm": (torch.baddbmm, rand((2, 3, 5), (2, 3, 4), (2, 4, 5)), 120, 30),
    "addmm": (torch.addmm, rand((3, 5), (3, 4), (4, 5)), 60, 15),
    "linear": (F.linear, rand((2, 3, 4), (5, 4)), 120, 30),
    "einsum": (
        lambda a, b: torch.einsum("bij,bjk->bik", a, b), rand((2, 3, 4), (2, 4, 5)), 120, 30
    ),
    "nearest": (lambda x: F.interpolate(x, scale_factor=2), (IMAGE,), 72, 0),
    "bilinear": (lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), (IMAGE,), 288, 0),
    "adaptive pool": (lambda x: F.adaptive_avg_pool2d(x, 1), (IMAGE,), 18, 0),
    "grid sample": (
        lambda x, g: F.grid_sample(x, g, align_corners=False),
        (IMAGE, *rand((1, 4, 4, 2))),
        128,
        0,
    ),
    "layer norm": (lambda x: F.layer_norm(x, (4,)), rand((2, 4)), 32, 0),
    "affine layer norm": (lambda x: F.layer_norm(x, (4,), ONES), rand((2, 4)), 40, 0),
    "group norm": (lambda x: F.group_norm(x, 2, ONES, ZEROS), rand((2, 4, 3)), 120, 0),
    "instance norm": (F.instance_norm, rand((2, 4, 3)), 96, 0),
    "batch norm in training": (
        lambda x: F.batch_norm(x, None, None, training=True), rand((2, 4, 3)), 96, 0
    ),
    "affine batch norm in training": (
        lambda x: F.batch_norm(x, None, None, ONES, ZEROS, training=True), rand((2, 4, 3)), 120, 0
    ),
    "batch norm": (lambda x: F.batch_norm(x, ZEROS, ONES), rand((2, 4, 3)), 24, 0),
    "affine batch norm": (lambda x: F.batch_norm(x, ZEROS, ONES, ONES), rand((2, 4, 3)), 48, 0),
    "convolution": (F.conv2d, rand((2, 3, 8, 8), (4, 3, 3, 3)), 2 * 4 * 27 * 36, 2 * 4 * 36),
    "of one image": (F.conv2d, rand((3, 8, 8), (4, 3, 3, 3)), 4 * 27 * 36, 4 * 36),
    "same size": (
        lambda x, w: F.conv2d(x, w, padding="same"),
        rand((1, 3, 8, 8), (4, 3, 3, 3)),
        4 * 27 * 64,
        4 * 64,
    ),
    "in groups": (
        lambda x, w: F.conv1d(x, w, groups=2, stride=2), rand((2, 4, 9), (6, 2, 3)), 288, 48
    ),
    "in 3d": (F.conv3d, rand((1, 2, 4, 4, 4), (3, 2, 2, 2, 2)), 3 * 16 * 27, 81),
    "transposed": (
        lambda x, w: F.conv_transpose2d(x, w, stride=2), (IMAGE, *rand((2, 3, 2, 2))), 216, 108
    ),
    "transposed of one": (F.conv_transpose1d, rand((4, 7), (4, 6, 3)), 4 * 6 * 3 * 7, 6 * 9),
    "attention": (
        F.scaled_dot_product_attention,
        rand((2, 5, 8), (2, 7, 8), (2, 7, 3)),
        2 * 5 * 7 * (8 + 3),
        2 * 5 * 7 + 2 * 5 * 3,
    ),
    "attention of groups of heads": (
        lambda q, k: F.scaled_dot_product_attention(q, k, k, enable_gqa=True),
        rand((2, 4, 5, 8), (2, 2, 7, 8)),
        2 * 4 * 5 * 7 * 16,
        2 * 4 * 5 * (7 + 8),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATORS)
def test_counts_of_an_operator(name: str) -> None:
    function, inputs, flops, activations = OPERATORS[name]
    model = Calls(function)
    assert FlopAnalyzer(model, inputs).total() == flops
    assert ActivationAnalyzer(model, inputs).total() == activations


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("weights", [True, False], ids=["weights", "no weights"])
@pytest.mark.parametrize("masked", [True, False], ids=["mask", "no mask"])
def test_attention_counts_the_same_however_it_runs(
    is_training: bool, weights: bool, masked: bool
) -> None:
    width, length, batch = 8, 5, 2
    attention = nn.MultiheadAttention(width, 2, batch_first=True).train(is_training)
    mask = torch.zeros(length, length) if masked else None
    model = Calls(lambda a, x: a(x, x, x, need_weights=weights, attn_mask=mask)[0], attention)
    inputs = torch.rand(batch, length, width)
    products = 2 * batch * length * length * width
    assert FlopAnalyzer(model, inputs).total() == 4 * batch * length * width**2 + products
    scores = batch * 2 * length * length
    assert ActivationAnalyzer(model, inputs).total() == 5 * batch * length * width + scores


@pytest.mark.parametrize("is_training", [True, False])
def test_transformer_encoder(is_training: bool) -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).train(is_training)
    flops = FlopAnalyzer(nn.TransformerEncoder(layer, 2).train(is_training), torch.rand(2, 5, 8))
    linear = 2 * 10 * (4 * 64 + 2 * 8 * 16)
    assert flops.by_operator() == {
        "linear": linear,
        "scaled_dot_product_attention": 2 * 800,
        "layer_norm": 2 * 2 * 80 * 5,
    }


@pytest.mark.parametrize(
    ("equation", "shapes", "cost"),
    [
        ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)], 120),
        ("abc,abd->acd", [(2, 3, 4), (2, 3, 5)], 120),
        ("abc,adc->adb", [(2, 3, 4), (2, 5, 4)], 120),
        ("b i j, b j k", [(2, 3, 4), (2, 4, 5)], 120),
        ("...ij,...jk", [(6, 2, 3, 4), (2, 4, 5)], 720),
        ("b...,...->b", [(2, 3, 4), (3, 4)], 24),
        ("i,j->ij", [(3,), (5,)], 7.5),  # multiplied, not added
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)], 2 * 3 * 4 + 2 * 4 * 5),
        ("ii->i", [(4, 4)], 2),
        ("nkctv,kvw->nctw", [(2, 3, 4, 5, 6), (3, 6, 6)], 2 * 3 * 4 * 5 * 6 * 6),
        ("ij,jk->ik", [(2, 1), (3, 4)], 24),  # of size 1, broadcast
        ("Zz,zY->ZY", [(2, 3), (3, 4)], 24),
    ],
)
def test_einsum_cost(equation: str, shapes: list[tuple[int, ...]], cost: float) -> None:
    assert einsum_cost(equation, shapes) == cost


def test_einsum_in_the_form_of_lists() -> None:
    model = Calls(lambda a, b: torch.einsum(a, [0, 1], b, [1, 2], [0, 2]))
    assert FlopAnalyzer(model, rand((2, 3), (3, 4))).total() == 24


def test_einsum_of_the_wrong_number_of_operands() -> None:
    with pytest.raises(ValueError, match="2 operands, not 1"):
        einsum_cost("ij,jk", [(2, 3)])


def test_conv_flop_count() -> None:
    shapes = (1, 2, 3, 3), (2, 3, 2, 2), (1, 3, 6, 6)
    assert conv_flop_count(*shapes, transposed=True) == {"conv": 216}
    assert conv_flop_count((1, 3, 8, 8), (4, 3, 3, 3), (1, 4, 6, 6)) == {"conv": 3888}
