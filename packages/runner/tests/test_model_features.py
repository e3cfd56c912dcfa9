"""What a config turns on in a model for training."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from eng.runner import Runner, turn_on_activation_checkpointing


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.calls = 0

    def forward(self, x: Any, *, scale: float = 1.0) -> Any:
        self.calls += 1
        return self.inner(x) * scale


def test_a_part_is_computed_once_more_and_its_parameters_get_gradients() -> None:
    model = nn.Sequential(Counting(), nn.Linear(2, 1))
    model[0](torch.ones(1, 2)).sum().backward()
    wanted = model[0].inner.weight.grad.clone()
    model.zero_grad()
    model[0].calls = 0
    turn_on_activation_checkpointing(model, "0")
    turn_on_activation_checkpointing(model, ["0"])  # once is enough
    # No input needs a gradient, as that of a first layer.
    model[0](torch.ones(1, 2), scale=1.0).sum().backward()
    assert model[0].calls == 2
    assert torch.equal(model[0].inner.weight.grad, wanted)
    assert list(model.state_dict()) == ["0.inner.weight", "0.inner.bias", "1.weight", "1.bias"]


def test_parts_that_are_not_there_are_named() -> None:
    with pytest.raises(AttributeError, match=r"no part 'neck'; its parts are 0"):
        turn_on_activation_checkpointing(nn.Sequential(nn.Linear(1, 1)), ["neck"])
    with pytest.raises(TypeError, match="name of a part"):
        turn_on_activation_checkpointing(nn.Sequential(), [3])  # type: ignore[list-item]


@pytest.mark.parametrize("names", [["net.0"], "net", ["net.0", "net.2"]])
def test_training_is_the_same_with_recomputed_activations(job: dict[str, Any], names: Any) -> None:
    plain, recomputed = (
        Runner.from_cfg({**job, "work_dir": f"{job['work_dir']}/{key}", **more}).train()
        for key, more in (("a", {}), ("b", {"activation_checkpointing": names}))
    )
    for name, weight in plain.state_dict().items():
        assert torch.equal(weight, recomputed.state_dict()[name])


def test_norms_are_folded_in_training(job: dict[str, Any]) -> None:
    runner = Runner.from_cfg({**job, "efficient_conv_bn_eval": "net"})
    runner.train()
    with pytest.raises(AttributeError):
        Runner.from_cfg({**job, "efficient_conv_bn_eval": ["head"]}).train()


@pytest.mark.parametrize(
    "compile_",
    [
        True,
        {"backend": "eager"},
        {"backend": "eager", "target": "model"},
        {"backend": "eager", "target": ["net.0", "net.2"]},
        {"backend": "eager", "target": "net"},
    ],
)
def test_what_is_to_be_compiled_is_and_trains_the_same(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch, compile_: Any
) -> None:
    asked = []
    real = torch.compile

    def recorded(what: Any = None, **settings: Any) -> Any:
        asked.append((what, settings))
        return what if settings.get("backend") != "eager" else real(what, **settings)

    monkeypatch.setattr(torch, "compile", recorded)
    job["train_cfg"] = {"by_epoch": True, "max_epochs": 1}
    plain = Runner.from_cfg({**job, "work_dir": f"{job['work_dir']}/a"}).train()
    runner = Runner.from_cfg({**job, "work_dir": f"{job['work_dir']}/b", "compile": compile_})
    compiled = runner.train()
    target = compile_.get("target", "train_step") if isinstance(compile_, dict) else "train_step"
    if target == "train_step":
        assert [settings for _, settings in asked] == [{} if compile_ is True else compile_]
    else:
        blocks = {"model": [""], "net": ["net"]}.get(str(target), target)
        assert [
            name for name, part in compiled.named_modules() if part._compiled_call_impl is not None
        ] == blocks
    for name, weight in plain.state_dict().items():
        assert torch.allclose(weight, compiled.state_dict()[name], atol=1e-6)


@pytest.mark.parametrize("off", [None, False])
def test_nothing_is_compiled_unless_it_is_asked_for(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch, off: Any
) -> None:
    monkeypatch.setattr(torch, "compile", None)
    Runner.from_cfg({**job, "compile": off}).train()


@pytest.mark.parametrize(
    "change",
    [
        {"compile": "yes"},
        {"compile": 1},
        {"compile": {"target": 3}},
        {"activation_checkpointing": 3},
        {"efficient_conv_bn_eval": [1]},
    ],
)
def test_settings_that_cannot_be_right_are_refused(
    job: dict[str, Any], change: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="|".join(change)):
        Runner.from_cfg({**job, **change})
