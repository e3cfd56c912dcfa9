"""Optimizer wrappers by name."""

import sys
from pathlib import Path

import pytest
import torch
from torch.optim import SGD, Adam

sys.path.insert(0, str(Path(__file__).parent))

from optim_cases import batches, make_model

from eng.optim import (
    OptimWrapper,
    OptimWrapperDict,
)


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
