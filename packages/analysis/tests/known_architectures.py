"""Architectures whose parameters and multiply-adds are published, each in a few lines."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import Tensor, nn

CLASSES = 1000


def conv_bn(c: int, out: int, size: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(c, out, size, stride, size // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(out)]


class Residual(nn.Module):
    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + (x if self.shortcut is None else self.shortcut(x))


class Concatenate(nn.Module):
    """Inputs and outputs of branches, or outputs alone, side by side."""

    def __init__(self, *branches: nn.Module, keeps_input: bool = False) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.keeps_input = keeps_input

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x] * self.keeps_input + [branch(x) for branch in self.branches], 1)


def alexnet() -> nn.Module:
    features: list[nn.Module] = []
    pooled = (0, 1, 4)
    plan = [(64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1)]
    for place, ((before, *_), (out, size, stride, pad)) in enumerate(pairwise([(3,), *plan])):
        features += [nn.Conv2d(before, out, size, stride, pad), nn.ReLU()]
        features += [nn.MaxPool2d(3, 2)] if place in pooled else []
    head = [nn.Linear(256 * 36, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU()]
    return nn.Sequential(*features, nn.Flatten(), *head, nn.Linear(4096, CLASSES))


def vgg16() -> nn.Module:
    layers: list[nn.Module] = []
    c = 3
    for out, times in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(times):
            layers += [nn.Conv2d(c, out, 3, padding=1), nn.ReLU()]
            c = out
        layers.append(nn.MaxPool2d(2))
    head = [nn.Linear(512 * 49, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), *head, nn.Linear(4096, CLASSES))


def resnet(depths: tuple[int, ...], bottleneck: bool) -> nn.Module:
    layers = [*conv_bn(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    c = 64
    for stage, depth in enumerate(depths):
        width = 64 * 2**stage
        out = width * (4 if bottleneck else 1)
        for block in range(depth):
            stride = 2 if stage and not block else 1
            if bottleneck:
                body = [*conv_bn(c, width, 1), nn.ReLU(), *conv_bn(width, width, 3, stride)]
                body += [nn.ReLU(), *conv_bn(width, out, 1)]
            else:
                body = [*conv_bn(c, out, 3, stride), nn.ReLU(), *conv_bn(out, out, 3)]
            shortcut = (
                None if (c, stride) == (out, 1) else nn.Sequential(*conv_bn(c, out, 1, stride))
            )
            layers.append(Residual(nn.Sequential(*body), shortcut))
            c = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, CLASSES))


def mobilenet_v2() -> nn.Module:
    layers = [*conv_bn(3, 32, 3, 2), nn.ReLU6()]
    c = 32
    plan = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1)]
    for factor, out, times, first in [*plan, (6, 160, 3, 2), (6, 320, 1, 1)]:
        for block in range(times):
            stride, hidden = first if block == 0 else 1, c * factor
            body = [] if factor == 1 else [*conv_bn(c, hidden, 1), nn.ReLU6()]
            body += [*conv_bn(hidden, hidden, 3, stride, hidden), nn.ReLU6()]
            inner = nn.Sequential(*body, *conv_bn(hidden, out, 1))
            layers.append(Residual(inner) if (stride, c) == (1, out) else inner)
            c = out
    layers += [*conv_bn(c, 1280, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(1280, CLASSES))


def densenet121() -> nn.Module:
    layers = [*conv_bn(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    c = 64
    for stage, depth in enumerate((6, 12, 24, 16)):
        for _ in range(depth):
            body = [nn.BatchNorm2d(c), nn.ReLU(), *conv_bn(c, 128, 1), nn.ReLU()]
            body.append(nn.Conv2d(128, 32, 3, padding=1, bias=False))
            layers.append(Concatenate(nn.Sequential(*body), keeps_input=True))
            c += 32
        layers += [nn.BatchNorm2d(c), nn.ReLU()]
        if stage < 3:
            layers += [nn.Conv2d(c, c // 2, 1, bias=False), nn.AvgPool2d(2)]
            c //= 2
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, CLASSES))


def squeezenet1_0() -> nn.Module:
    pool = nn.MaxPool2d(3, 2, ceil_mode=True)
    layers: list[nn.Module] = [nn.Conv2d(3, 96, 7, 2), nn.ReLU(), pool]
    c = 96
    plan = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
    for place, (squeeze, expand) in enumerate(plan):
        layers += [nn.Conv2d(c, squeeze, 1), nn.ReLU()]
        one, three = nn.Conv2d(squeeze, expand, 1), nn.Conv2d(squeeze, expand, 3, padding=1)
        layers += [Concatenate(one, three), nn.ReLU()]
        layers += [pool] if place in (2, 6) else []
        c = 2 * expand
    return nn.Sequential(*layers, nn.Conv2d(c, CLASSES, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1))


class VisionTransformer(nn.Module):
    def __init__(self, width: int, heads: int, depth: int, patch: int, image: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, (image // patch) ** 2 + 1, width))
        layers = [
            (f"layer{place}", nn.TransformerEncoderLayer(
                width, heads, 4 * width, activation="gelu", batch_first=True, norm_first=True
            ))
            for place in range(depth)
        ]  # fmt: skip
        self.layers = nn.Sequential(OrderedDict(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        x = self.patches(image).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.positions
        return self.head(self.norm(self.layers(x))[:, 0])
