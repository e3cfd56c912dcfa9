"""Gradients are clipped by the norm of all of them, whatever processes they are sharded over."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

import optim_workers

from eng.dist.testing import run_in_processes
from eng.optim import OptimWrapper

SETTINGS = [{"max_norm": 0.5}, {"max_norm": 2.0, "norm_type": 1.0}]


def test_parameters_on_several_meshes() -> None:
    ranks = run_in_processes(optim_workers.clip, 2, SETTINGS, timeout=60)
    for number, settings in enumerate(SETTINGS):
        grads = optim_workers.make_gradients()
        parameters = [nn.Parameter(torch.zeros_like(grad)) for grad in grads]
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = grad
        wanted = torch.nn.utils.clip_grad_norm_(parameters, **settings)
        for rank in ranks:
            norm, found = rank[number]
            assert norm == pytest.approx(float(wanted), rel=1e-6)
            for ours, grad in zip(found, grads, strict=True):
                assert ours == pytest.approx(grad.flatten().tolist(), rel=1e-5, abs=1e-8)


def test_a_norm_that_is_not_finite() -> None:
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([math.inf, 0.0])
    settings = {"max_norm": 1.0, "error_if_nonfinite": True}
    wrapper = OptimWrapper(torch.optim.SGD([parameter], lr=1.0), clip_grad=settings)
    with pytest.raises(RuntimeError, match=r"cannot be clipped|non-finite"):
        wrapper.step()
    assert parameter.tolist() == [0.0, 0.0]
