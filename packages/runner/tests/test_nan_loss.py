"""What happens at a loss that is NaN or infinite."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import nan_cases as cases

from eng.dist.testing import run_in_processes
from eng.runner import Runner, RunnerConfigError


def log_of(runner: Runner) -> str:
    return Path(runner.log_dir, f"{runner.timestamp}.log").read_text()


def train(folder: Path, bad: dict[int, float], times: int = 1, **more: Any) -> Runner:
    runner = cases.build(folder, bad, times, **more)
    runner.train()
    return runner


@pytest.mark.parametrize(
    ("value", "told"), [(float("nan"), "loss is nan"), (float("inf"), "loss is inf")]
)
def test_by_default_it_is_said_once(tmp_path: Path, value: float, told: str) -> None:
    runner = train(tmp_path, {6: value, 9: value, 20: value})
    lines = [line for line in log_of(runner).splitlines() if "at iteration" in line]
    assert len(lines) == 1
    assert f"{told} at iteration 7 on rank 0" in lines[0]
    assert f"eng batch {tmp_path} 7" in lines[0]


@pytest.mark.parametrize("at", [23, 8, 0])
def test_it_is_said_wherever_it_is(tmp_path: Path, at: int) -> None:
    hooks = {"logger": {"type": "LoggerHook", "interval": 100}}
    runner = train(tmp_path, {at: float("nan")}, default_hooks=hooks)
    assert f"loss is nan at iteration {at + 1} on rank 0" in log_of(runner)


def test_nothing_is_said_of_losses_that_are_finite(tmp_path: Path) -> None:
    assert "at iteration" not in log_of(train(tmp_path, {}))


def test_stop_names_iteration_and_rank_before_anything_is_updated(tmp_path: Path) -> None:
    runner = cases.build(tmp_path, {6: float("nan")}, nan_loss="stop")
    with pytest.raises(FloatingPointError, match="loss is nan on rank 0 at iteration 7"):
        runner.train()
    assert runner.iter == 6
    assert all(torch.isfinite(p).all() for p in runner.model.parameters())


def test_skip_leaves_out_the_step_alone(tmp_path: Path) -> None:
    runner = train(tmp_path, {6: float("nan"), 7: float("inf")}, nan_loss="skip")
    assert runner.iter == 24
    assert all(torch.isfinite(p).all() for p in runner.model.parameters())
    steps = runner.optim_wrapper.optimizer.state_dict()["state"][0]["step"]
    assert int(steps) == 22
    assert "the loss is inf on rank 0 at iteration 8: its step is skipped" in log_of(runner)
    assert "To act on it" not in log_of(runner)


def test_skip_within_a_cycle_of_accumulation_keeps_the_rest_of_it(tmp_path: Path) -> None:
    wrapper = {"optimizer": {"type": "SGD", "lr": 0.01}, "accumulative_counts": 3}
    runner = train(tmp_path, {5: float("nan")}, nan_loss="skip", optim_wrapper=wrapper)
    assert all(torch.isfinite(p).all() for p in runner.model.parameters())
    assert runner.optim_wrapper.inner_count == 24


def test_skipping_all_the_time_comes_to_an_end(tmp_path: Path) -> None:
    bad = dict.fromkeys(range(5, 24), float("nan"))
    runner = cases.build(tmp_path, bad, nan_loss={"action": "skip", "max_times": 4})
    with pytest.raises(FloatingPointError, match="iteration 10; 4 iterations before it"):
        runner.train()


@pytest.mark.parametrize("by_epoch", [True, False])
@pytest.mark.parametrize("background", [True, False])
def test_after_a_glitch_the_run_is_that_without_it(
    tmp_path: Path, by_epoch: bool, background: bool
) -> None:
    more: dict[str, Any] = {}
    if not by_epoch:
        more["train_cfg"] = {"by_epoch": False, "max_iters": 24}
    hook = {"type": "CheckpointHook", "by_epoch": False, "interval": 3, "async_save": background}
    more["default_hooks"] = {"checkpoint": hook}
    whole = train(tmp_path / "whole", {}, **more)
    runner = train(tmp_path / "b", {7: float("nan"), 16: float("inf")}, nan_loss="rollback", **more)
    assert "at iteration 8: training is rolled back to" in log_of(runner)
    assert "iter_6.pth" in log_of(runner)
    for one, other in zip(whole.model.parameters(), runner.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_what_comes_again_is_no_glitch(tmp_path: Path) -> None:
    runner = cases.build(tmp_path, {7: float("nan")}, times=100, nan_loss="rollback")
    with pytest.raises(FloatingPointError, match="iteration 8; training was rolled back 3 times"):
        runner.train()


def test_without_a_checkpoint_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    runner = cases.build(tmp_path, {1: float("nan")}, nan_loss="rollback")
    with pytest.raises(FloatingPointError, match="no checkpoint to resume from"):
        runner.train()


@pytest.mark.slow
@pytest.mark.parametrize("action", ["skip", "rollback", "stop"])
def test_all_processes_do_the_same(tmp_path: Path, action: str) -> None:
    first, second = run_in_processes(cases.train_with_a_bad_rank, 2, str(tmp_path), action)
    assert first == second
    told, weights = first
    assert all(x == x for x in weights)
    assert told == ("the loss is nan on rank 1 at iteration 8" if action == "stop" else "")


@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"loss_normalizer": "samples"}])
def test_processes_agree_where_an_accumulated_iteration_is_skipped(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    # The last of a cycle, whose backward pass synchronizes the gradients.
    first, second = run_in_processes(cases.skip_in_a_cycle, 2, str(tmp_path), 7, more)
    assert first == second
    assert all(x == x for x in first)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("halt", r"nan_loss must be one of .*'rollback'\), got 'halt'"),
        (
            {"action": "skip", "max_time": 3},
            "unexpected setting 'max_time': did you mean 'max_times'",
        ),
        ({"action": "skip", "max_times": 0}, "max_times must be an integer of at least 1"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, setting: Any, told: str) -> None:
    with pytest.raises(RunnerConfigError, match=told):
        cases.build(tmp_path, {}, nan_loss=setting)
