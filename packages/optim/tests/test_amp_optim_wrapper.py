"""Mixed precision of optimizer wrappers."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim import SGD

sys.path.insert(0, str(Path(__file__).parent))

from optim_cases import batches, make_model

from eng.optim import (
    AmpOptimWrapper,
    OptimWrapper,
)


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
