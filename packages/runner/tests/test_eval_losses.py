"""A model gives losses while it is validated and tested."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from eng.model import BaseModel
from eng.registry import MODELS
from eng.runner import Runner
from eng.structures import BaseDataElement


@MODELS.register_module(force=True)
class LossyLine(BaseModel):
    losses: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(3, 1)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        error = (self.net(inputs) - data_samples).abs()
        if mode != "predict":
            return {"loss": error.mean()}
        outputs = [{"error": float(each)} for each in error.flatten()]
        return [*outputs, BaseDataElement(loss=self.losses)]


LOSSES = {
    "loss_a": torch.tensor(2.0),
    "loss_b": [torch.tensor(1.0), torch.tensor(3.0)],
    "acc_x": torch.tensor(0.5),
}


@pytest.mark.parametrize("mode", ["val", "test"])
def test_losses_are_averaged_and_summed(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(LossyLine, "losses", LOSSES)
    runner = Runner.from_cfg({**job, "model": {"type": "LossyLine"}})
    for _ in range(2):
        metrics = getattr(runner, mode)()
        error = metrics.pop("line/loss")
        assert error > 0
        assert metrics == {"loss_a": 2.0, "loss_b": 2.0, "acc_x": 0.5, f"{mode}_loss": 4.0}
    loop = runner.val_loop if mode == "val" else runner.test_loop
    assert getattr(loop, f"{mode}_loss") == {"loss_a": 2.0, "loss_b": 2.0, "acc_x": 0.5}


def test_the_best_may_be_chosen_by_their_sum(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LossyLine, "losses", LOSSES)
    job["default_hooks"] = {"checkpoint": {"type": "CheckpointHook", "save_best": "val_loss"}}
    runner = Runner.from_cfg({**job, "model": {"type": "LossyLine"}})
    runner.train()
    assert runner.message_hub.get_info("best_score") == 4.0


def test_other_outputs_stay_as_they_are(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(Runner.from_cfg(job).val()) == {"line/loss"}
    monkeypatch.setattr(LossyLine, "losses", torch.tensor(1.0))
    with pytest.raises(TypeError, match="dict of losses by name"):
        Runner.from_cfg({**job, "model": {"type": "LossyLine"}}).val()


def test_each_sample_counts_the_same_in_batches_of_any_size(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LossyLine, "losses", {})
    found = []
    for batch_size in (1, 3, 100):
        torch.manual_seed(0)
        loader = {**job["val_dataloader"], "batch_size": batch_size}
        parts = {"model": LossyLine(), "val_dataloader": loader, "val_cfg": {"loss": True}}
        found.append(Runner.from_cfg({**job, **parts, "randomness": {"seed": 0}}).val()["val_loss"])
    assert found[0] > 0
    assert found == pytest.approx([found[-1]] * 3, rel=1e-5)
