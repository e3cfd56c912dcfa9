"""Whether weights have changed, told without a copy of them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from eng.hooks.fingerprint import fingerprint


def model() -> nn.Module:
    torch.manual_seed(0)
    built = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 1).bfloat16())
    built.register_buffer("empty", torch.empty(0))
    built.register_buffer("flags", torch.tensor([True, False, True]))
    return built


def test_equal_weights_have_the_same_one_wherever_they_lie() -> None:
    first = model()
    second = copy.deepcopy(first)
    joined = torch.zeros(20)
    joined[1:16] = first[0].weight.detach().flatten()  # type: ignore[index]
    second[0].weight = nn.Parameter(joined[1:16].view(5, 3))  # type: ignore[index]
    assert fingerprint(first) == fingerprint(second)


def flip(tensor: torch.Tensor, index: int) -> None:
    tensor.view(torch.uint8).flatten()[index] ^= 1


@pytest.mark.parametrize(
    "change",
    [
        lambda m: flip(m[0].weight.data, 7),
        lambda m: m[1].running_mean.fill_(2.0),
        lambda m: m[1].num_batches_tracked.add_(1),
        lambda m: m[2].bias.data.add_(1),
        lambda m: m.flags.logical_not_(),
        lambda m: m[0].weight.data.copy_(m[0].weight.data.flip(0)),
        lambda m: m[0].weight.data.mul_(-1),
    ],
)
def test_any_change_shows(change: Any) -> None:
    changed = model()
    before = fingerprint(changed)
    change(changed)
    assert fingerprint(changed) != before
