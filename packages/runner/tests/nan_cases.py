"""Runs some of whose losses are not finite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runner_workers import PlaneModel, plane_job

from eng.dist import get_rank
from eng.hooks import Hook
from eng.registry import MODELS
from eng.runner import Runner


@MODELS.register_module(force=True)
class GlitchingModel(PlaneModel):
    """Its loss is another one at some iterations, the first times that they are trained."""

    bad: dict[int, float]
    times: int
    iteration = 0

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        out = super().forward(inputs, data_samples, mode)
        if mode == "loss" and self.left.get(self.iteration, 0) > 0:
            self.left[self.iteration] -= 1
            out["loss"] = out["loss"] * self.bad[self.iteration]
        return out


class Teller(Hook):
    """Tells the model where training is."""

    def before_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        getattr(runner.model, "module", runner.model).iteration = runner.iter


def build(folder: Path, bad: dict[int, float], times: int = 1, **more: Any) -> Runner:
    job = plane_job(folder, **more)
    job["model"]["type"] = "GlitchingModel"
    runner = Runner.from_cfg(job)
    model = getattr(runner.model, "module", runner.model)
    model.bad, model.left = bad, dict.fromkeys(bad, times)
    runner.register_hook(Teller())
    return runner


def train_with_a_bad_rank(folder: str, action: str) -> tuple[str, list[float]]:
    """In a group: what was raised, and the weights."""
    bad = {7: float("nan")} if get_rank() == 1 else {}
    runner = build(Path(folder), bad, launcher="pytorch", nan_loss=action)
    told = ""
    try:
        runner.train()
    except FloatingPointError as error:
        told = str(error).partition(";")[0]
    return told, [float(x) for p in runner.model.parameters() for x in p.flatten()]


def skip_in_a_cycle(folder: str, iteration: int, more: dict[str, Any]) -> list[float]:
    """In a group: the weights after a skipped iteration of accumulated ones."""
    bad = {iteration: float("nan")} if get_rank() == 1 else {}
    wrapper = {"optimizer": {"type": "SGD", "lr": 0.1}, "accumulative_counts": 2, **more}
    runner = build(Path(folder), bad, launcher="pytorch", nan_loss="skip", optim_wrapper=wrapper)
    runner.train()
    return [float(x) for p in runner.model.parameters() for x in p.flatten()]
