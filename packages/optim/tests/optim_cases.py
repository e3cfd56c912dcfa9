"""A small model, its batches and captured logs, for the tests of this package."""

import torch
from torch import nn


def make_model(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))


def batches(count):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(5, 3, generator=generator) for _ in range(count)]


def read_log(capfd, caplog):
    captured = capfd.readouterr()
    text = captured.out + captured.err + caplog.text
    caplog.clear()
    return text
