"""Frozen parameters and those without a gradient in the log."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from eng.hooks import ParameterReportHook


class Parts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used = nn.Linear(2, 2)
        self.frozen = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3)).requires_grad_(False)
        self.unused = nn.Linear(4, 4)
        self.scale = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x).sum()


def test_what_is_frozen_or_unused(caplog: pytest.LogCaptureFixture) -> None:
    model = Parts()
    model.used.bias.requires_grad_(False)
    logger = logging.getLogger("parameter report")
    runner: Any = SimpleNamespace(model=model, logger=logger)
    hook = ParameterReportHook()
    with caplog.at_level("INFO"):
        hook.before_train(runner)
        for _ in range(2):
            model(torch.ones(1, 2)).backward()
            hook.after_train_iter(runner, 0)
    assert caplog.messages == [
        "Frozen parameters:\n  frozen: 21\n  used.bias: 2",
        "Parameters that receive no gradient:\n  unused: 20\n  scale: 3",
    ]
    caplog.clear()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    with caplog.at_level("INFO"):
        hook.before_train(runner)
        hook.after_train_iter(runner, 0)
    assert caplog.messages[0] == "Frozen parameters:\n  (the whole model): 50"
