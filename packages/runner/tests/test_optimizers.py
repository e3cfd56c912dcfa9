"""Optimizers that need train() and eval(), or a closure."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.optim import SGD, Optimizer

from eng.cli import main
from eng.dist.testing import run_in_processes
from eng.hooks import CheckpointHook, Hook
from eng.optim import AmpOptimWrapper, OptimWrapper, OptimWrapperDict, evaluation_mode
from eng.runner import Runner, RunnerConfigError

sys.path.insert(0, str(Path(__file__).parent))
import optimizer_cases as cases


def weights_of(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in model.parameters()])


def batches_of(runner: Runner) -> list[Any]:
    """The batches of three epochs, in the order of training."""
    found = []
    for epoch in range(3):
        runner.train_dataloader.sampler.set_epoch(epoch)
        found += list(runner.train_dataloader)
    return found


def plain_loop(make: Any, batches: list[Any], evaluates_first: bool) -> torch.Tensor:
    """Train by torch alone, with the closure of its documentation."""
    model = cases.Regression()
    made = make(model.parameters())
    optimizer = made.optimizer if isinstance(made, OptimWrapper) else made
    if hasattr(optimizer, "train"):
        optimizer.train()
    for batch in batches:

        @torch.enable_grad()
        def closure(batch: Any = batch) -> torch.Tensor:
            optimizer.zero_grad()
            loss = functional.mse_loss(model.net(batch["inputs"]).flatten(), batch["data_samples"])
            loss.backward()
            return loss

        if evaluates_first:
            closure()
        optimizer.step(closure)
    return weights_of(model)


@pytest.mark.parametrize(
    ("make", "evaluates_first"), [(cases.lbfgs, False), (cases.sam, True)], ids=["lbfgs", "sam"]
)
def test_a_closure_trains_as_a_loop_of_torch_does(
    tmp_path: Path, make: Any, evaluates_first: bool
) -> None:
    runner = cases.build(tmp_path, make)
    batches = batches_of(runner)
    expected = plain_loop(make, batches, evaluates_first)
    trained = weights_of(runner.train())
    torch.testing.assert_close(trained, expected, rtol=0, atol=0)
    assert runner.optim_wrapper.inner_count == len(batches)


@pytest.mark.parametrize("make", [cases.lbfgs, cases.sam, cases.ScheduleFree, cases.by_samples])
@pytest.mark.parametrize("stop_at", [pytest.param(4, marks=pytest.mark.exhaustive), 6])
def test_a_resumed_run_is_exact(tmp_path: Path, make: Any, stop_at: int) -> None:
    whole = cases.Losses()
    expected = weights_of(cases.build(tmp_path / "whole", make, whole).train())
    # Saved more often than the other, and inside of epochs.
    saves: dict[str, Any] = {
        "default_hooks": {
            "checkpoint": CheckpointHook(1, by_epoch=False, save_best="error", rule="less")
        }
    }
    first, second = cases.Losses(stop_at), cases.Losses()
    with pytest.raises(InterruptedError):
        cases.build(tmp_path / "parts", make, first, **saves).train()
    resumed = cases.build(tmp_path / "parts", make, second, resume=True, **saves)
    trained = weights_of(resumed.train())
    assert first.values + second.values == whole.values
    torch.testing.assert_close(trained, expected, rtol=0, atol=0)
    log = Path(resumed.log_dir, f"{resumed.timestamp}.log").read_text()
    assert "WARNING" not in log


def test_losses_are_evaluated_saved_and_returned_with_the_weights_of_evaluation(
    tmp_path: Path,
) -> None:
    runner = cases.build(tmp_path, cases.ScheduleFree)
    model = runner.train()
    optimizer: Any = runner.optim_wrapper.optimizer
    assert not optimizer.param_groups[0]["train_mode"]
    saved = torch.load(tmp_path / "epoch_3.pth", weights_only=True)
    found = torch.cat([each.flatten() for each in saved["state_dict"].values()])
    torch.testing.assert_close(found, weights_of(model), rtol=0, atol=0)
    error = runner.val()["error"]
    other = cases.build(
        tmp_path / "other", cases.ScheduleFree, load_from=str(tmp_path / "epoch_3.pth")
    )
    assert other.val()["error"] == error
    optimizer.train()
    assert not torch.equal(weights_of(model), found)


def test_training_that_continues_in_the_same_process_is_exact(tmp_path: Path) -> None:
    expected = weights_of(cases.build(tmp_path / "whole", cases.ScheduleFree).train())
    runner = cases.build(
        tmp_path / "parts", cases.ScheduleFree, train_cfg={"by_epoch": True, "max_epochs": 2}
    )
    runner.train()
    runner.train_loop._max_epochs, runner.train_loop._max_iters = 3, 12
    torch.testing.assert_close(weights_of(runner.train()), expected, rtol=0, atol=0)


@pytest.mark.parametrize(
    "name", ["lbfgs", *(pytest.param(n, marks=pytest.mark.exhaustive) for n in ("sam", "free"))]
)
def test_processes_train_alike(tmp_path: Path, name: str) -> None:
    found = run_in_processes(cases.train_in_processes, 2, str(tmp_path), name)
    assert found[0][1] == found[1][1]
    assert found[0][0] != found[1][0]


def test_accumulation_is_refused() -> None:
    parameters = [torch.nn.Parameter(torch.ones(1))]
    with pytest.raises(ValueError, match="accumulative_counts=4 does not go with LBFGS"):
        OptimWrapper(cases.lbfgs(parameters), accumulative_counts=4)
    with pytest.raises(ValueError, match="accumulative_counts=2 does not go with SAM"):
        OptimWrapper(cases.SAM(parameters), accumulative_counts=2, closure=True)
    with pytest.raises(TypeError, match="closure must be True, False or None, not 'yes'"):
        OptimWrapper(SGD(parameters, lr=1), closure="yes")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="does not go with the loss scale of float16"):
        AmpOptimWrapper(optimizer=cases.lbfgs(parameters), dtype="float16")
    AmpOptimWrapper(optimizer=cases.lbfgs(parameters), dtype="bfloat16")


def test_micro_batches_are_refused(tmp_path: Path) -> None:
    runner = cases.build(tmp_path, cases.lbfgs, cfg={"on_oom": "shrink"})
    with pytest.raises(RunnerConfigError, match="which those of LBFGS are not"):
        runner.train()


def test_by_config_with_mixed_precision_and_clipping(tmp_path: Path) -> None:
    cfg = {
        "type": "AmpOptimWrapper",
        "dtype": "bfloat16",
        "optimizer": {"type": "LBFGS", "lr": 0.1, "max_iter": 2},
        "clip_grad": {"max_norm": 1.0},
    }
    losses = cases.Losses()
    runner = cases.build(tmp_path, lambda _: cfg, losses)
    runner.train()
    assert losses.values[-1] < losses.values[0]
    assert runner.message_hub.get_scalar("train/grad_norm").current() > 0


def test_a_step_with_a_loss_that_is_nan_is_skipped(tmp_path: Path) -> None:
    class Broken(cases.Regression):
        steps = 0

        def forward(self, *args: Any, mode: str = "tensor", **more: Any) -> Any:
            found = super().forward(*args, mode=mode, **more)
            if mode == "loss":
                self.steps += 1
                return {"loss": found["loss"] * (torch.nan if self.steps == 1 else 1.0)}
            return found

    model = Broken()
    before = weights_of(model)
    runner = Runner(
        model,
        str(tmp_path),
        train_dataloader=cases.loader(batch_size=24),
        train_cfg={"by_epoch": True, "max_epochs": 1},
        optim_wrapper=cases.lbfgs(model.parameters()),
        cfg={"nan_loss": "skip"},
    )
    torch.testing.assert_close(weights_of(runner.train()), before, rtol=0, atol=0)


def test_the_weights_of_evaluation_of_several_optimizers() -> None:
    parameters = [torch.nn.Parameter(torch.full((2,), 2.0)) for _ in range(2)]
    free = OptimWrapper(cases.ScheduleFree(parameters[:1]))
    wrapper = OptimWrapperDict(a=free, b=OptimWrapper(SGD(parameters[1:], lr=1)))
    wrapper.train()
    for _ in range(3):
        parameters[0].grad = torch.ones(2)
        free.step()
    before = parameters[0].detach().clone()
    with evaluation_mode(wrapper):
        assert not torch.equal(parameters[0], before)
        state = wrapper.state_dict()
        with evaluation_mode(wrapper):  # a checkpoint of the best, within a validation
            assert not torch.equal(parameters[0], before)
        assert not wrapper.is_training
    assert torch.equal(parameters[0], before)
    assert wrapper.is_training
    assert torch.equal(state["a"]["training_weights"][0], before)
    assert "training_weights" not in state["b"]
    wrapper.load_state_dict(state)
    assert torch.equal(parameters[0], before)


def test_nothing_happens_to_optimizers_without_modes() -> None:
    parameter = torch.nn.Parameter(torch.ones(1))
    wrapper = OptimWrapper(SGD([parameter], lr=1))
    with evaluation_mode(wrapper), evaluation_mode({"optimizer": {}}), evaluation_mode(None):
        assert "training_weights" not in wrapper.state_dict()
    assert isinstance(wrapper.optimizer, Optimizer)


def test_stochastic_weight_averaging_is_saved_and_exported_as_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[torch.Tensor] = []

    class Keep(Hook):
        priority = "HIGHEST"

        def after_train_iter(self, runner: Any, *_: Any, **__: Any) -> None:
            if runner.epoch >= 1:
                kept.append(weights_of(runner.model))

    swa = {"type": "EMAHook", "ema_type": "StochasticWeightAverage", "begin_epoch": 2}
    runner = cases.build(tmp_path, lambda p: SGD(p, lr=0.1), Keep(), swa)
    runner.train()
    names = [name for name, _ in runner.model.named_parameters()]
    for epoch in (2, 3):
        saved = torch.load(tmp_path / f"epoch_{epoch}.pth", weights_only=True)["state_dict"]
        found = torch.cat([saved[name].flatten() for name in names])
        mean = torch.stack(kept[: 4 * (epoch - 1)]).mean(0)
        torch.testing.assert_close(found, mean)
    monkeypatch.chdir(tmp_path)
    assert main(["checkpoint", "average", str(tmp_path), "--last", "2", "--out", "soup.pth"]) == 0
    states = [
        torch.load(tmp_path / f"epoch_{n}.pth", weights_only=True)["state_dict"] for n in (2, 3)
    ]
    soup = cases.build(tmp_path / "other", lambda p: SGD(p, lr=0.1), load_from="soup.pth")
    soup.val()
    expected = torch.cat([((states[0][n] + states[1][n]) / 2).flatten() for n in names])
    torch.testing.assert_close(weights_of(soup.model), expected)
