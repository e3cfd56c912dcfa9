"""Published numbers of parameters and multiply-adds of eight architectures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

from known_architectures import (
    VisionTransformer,
    alexnet,
    densenet121,
    mobilenet_v2,
    resnet,
    squeezenet1_0,
    vgg16,
)

from eng.analysis import FlopAnalyzer, parameter_count

#: Operators that published numbers of multiply-adds count: no norms, no pooling.
PRODUCTS = {"conv", "linear", "matmul", "bmm", "scaled_dot_product_attention"}


# All eight take longer than the tests of a package may: two run with the long ones.
long = pytest.mark.exhaustive


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "parameters", "giga_multiply_adds"),
    [
        (alexnet, 61_100_840, 0.714),
        (vgg16, 138_357_544, 15.470),
        (lambda: resnet((2, 2, 2, 2), bottleneck=False), 11_689_512, 1.814),
        pytest.param(lambda: resnet((3, 4, 6, 3), bottleneck=True), 25_557_032, 4.089, marks=long),
        (mobilenet_v2, 3_504_872, 0.301),
        pytest.param(densenet121, 7_978_856, 2.834, marks=long),
        (squeezenet1_0, 1_248_424, 0.819),
        (lambda: VisionTransformer(768, 12, 12, 16, 224), 86_567_656, 17.564),
    ],
    ids=[
        "alexnet",
        "vgg16",
        "resnet18",
        "resnet50",
        "mobilenet_v2",
        "densenet121",
        "squeezenet1_0",
        "vit_b_16",
    ],
)
def test_counts_are_the_published_ones(
    build: Callable[[], nn.Module], parameters: int, giga_multiply_adds: float
) -> None:
    with torch.device("meta"):  # no time for random values
        model = build()
    model = model.to_empty(device="cpu").eval().requires_grad_(False)
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.zero_()
    assert parameter_count(model)[""] == parameters
    counts = FlopAnalyzer(model, torch.zeros(1, 3, 224, 224)).by_operator()
    products = sum(count for name, count in counts.items() if name in PRODUCTS)
    assert round(products / 1e9, 3) == giga_multiply_adds
