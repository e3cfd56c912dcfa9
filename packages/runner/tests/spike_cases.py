"""Runs some of whose losses are spikes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nan_cases
from runner_workers import PlaneModel, plane_job

from eng.dist import get_rank
from eng.registry import MODELS
from eng.runner import Runner


@MODELS.register_module(force=True)
class TwoLossesModel(PlaneModel):
    """Updates its parameters by two losses of different size, one after the other."""

    def train_step(self, data: Any, optim_wrapper: Any) -> Any:
        data = self.data_preprocessor(data, True)
        losses = {}
        for name, weight in (("small", 1.0), ("large", 1000.0)):
            loss = self(**data, mode="loss")["loss"] * weight
            optim_wrapper.update_params(loss)
            losses[f"loss_{name}"] = loss.detach()
        return losses


def build_with_two_losses(folder: Path, nan_loss: Any) -> Runner:
    job = plane_job(folder, nan_loss=nan_loss)
    job["model"]["type"] = "TwoLossesModel"
    return Runner.from_cfg(job)


def train_with_a_spike(folder: str, action: str) -> tuple[str, list[float]]:
    """In a group, with a spike on one of the ranks: what was raised, and the weights."""
    bad = {16: 1e4} if get_rank() == 1 else {}
    nan_loss = {"action": action, "spike": {"factor": 20, "window": 6}}
    train_cfg = {"by_epoch": False, "max_iters": 20}
    runner = nan_cases.build(
        Path(folder), bad, launcher="pytorch", nan_loss=nan_loss, train_cfg=train_cfg
    )
    told = ""
    try:
        runner.train()
    except FloatingPointError as error:
        told = str(error).partition(";")[0]
    return told, [float(x) for p in runner.model.parameters() for x in p.flatten()]
