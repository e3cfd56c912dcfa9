"""Optimizers of other packages are found by name when they are asked for."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from eng.optim import OPTIMIZERS, ZeroRedundancyOptimizer, build_optim_wrapper
from eng.optim.optimizer import BITSANDBYTES_OPTIMIZERS, DADAPTATION_OPTIMIZERS, LION_OPTIMIZERS


@pytest.mark.parametrize(
    ("name", "package", "attribute"),
    [
        ("Lion", "lion_pytorch", "Lion"),
        ("DAdaptAdam", "dadaptation", "DAdaptAdam"),
        ("AdamW8bit", "bitsandbytes.optim", "AdamW8bit"),
        ("bnb_Adam", "bitsandbytes.optim", "Adam"),
    ],
)
def test_one_that_is_installed_is_built(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str, attribute: str
) -> None:
    assert name in LION_OPTIMIZERS + DADAPTATION_OPTIMIZERS + BITSANDBYTES_OPTIMIZERS
    model, cfg = nn.Linear(1, 1), {"optimizer": {"type": name, "lr": 0.5}}
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f"the optimizer {name} needs .*pip install"):
        build_optim_wrapper(model, cfg)
    module: Any = ModuleType(package)
    setattr(module, attribute, torch.optim.SGD)
    parent = package.partition(".")[0]
    monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
    monkeypatch.setitem(sys.modules, package, module)
    wrapper = build_optim_wrapper(model, cfg)
    assert type(wrapper.optimizer) is torch.optim.SGD
    assert wrapper.get_lr() == {"lr": [0.5]}


def test_a_class_of_ones_own_takes_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OPTIMIZERS, "_module_dict", dict(OPTIMIZERS.module_dict))
    OPTIMIZERS.register_module(name="Lion", module=torch.optim.SGD)
    wrapper = build_optim_wrapper(nn.Linear(1, 1), {"optimizer": {"type": "Lion", "lr": 0.1}})
    assert type(wrapper.optimizer) is torch.optim.SGD


def test_the_registry_knows_them_though_no_constructor_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "lion_pytorch", None)
    with pytest.raises(ImportError, match="pip install lion-pytorch"):
        OPTIMIZERS.build({"type": "Lion", "params": [nn.Parameter(torch.ones(1))]})


def test_the_adafactor_of_torch_has_a_name_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    params = [nn.Parameter(torch.ones(1))]
    made = OPTIMIZERS.build({"type": "TorchAdafactor", "params": params})
    assert type(made) is torch.optim.Adafactor
    assert "TorchAdafactor" not in capsys.readouterr().out
    assert isinstance(
        OPTIMIZERS.build({"type": "Adafactor", "params": params}), torch.optim.Optimizer
    )
    assert "the one of torch is always 'TorchAdafactor'" in capsys.readouterr().out


def test_states_are_shared_out(tmp_path: Any) -> None:
    params = [nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(1))]
    with pytest.raises(AttributeError, match="no optimizer 'Nothing'"):
        ZeroRedundancyOptimizer(params, "Nothing")
    store = f"file://{tmp_path}/store"
    torch.distributed.init_process_group("gloo", init_method=store, rank=0, world_size=1)
    try:
        optimizer = ZeroRedundancyOptimizer(params, "Adam", lr=0.1)
        sum(param.sum() for param in params).backward()  # type: ignore[union-attr]
        optimizer.step()
        assert params[0].tolist() == pytest.approx([0.9, 0.9])
        assert len(optimizer.state_dict()["state"]) == 2
    finally:
        torch.distributed.destroy_process_group()
