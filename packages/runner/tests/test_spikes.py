"""What happens at a loss that is far above those before it."""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

import nan_cases as cases
import spike_cases

from eng.dist.testing import run_in_processes
from eng.runner import Runner, RunnerConfigError
from eng.runner.spikes import RunningMedian, SpikeDetector

SPIKE = {"factor": 20, "window": 6}
ITERATIONS = {"by_epoch": False, "max_iters": 24}


def log_of(runner: Runner) -> str:
    return Path(runner.log_dir, f"{runner.timestamp}.log").read_text()


def train(folder: Path, bad: dict[int, float], times: int = 1, **more: Any) -> Runner:
    runner = cases.build(folder, bad, times, **more)
    runner.train()
    return runner


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1),
    st.integers(1, 9),
)
@settings(max_examples=60, deadline=None)
def test_the_running_median_is_that_of_the_last_values(values: list[float], window: int) -> None:
    median = RunningMedian(window)
    for count, value in enumerate(values, 1):
        median.add(value)
        last = values[max(0, count - window) : count]
        assert median.value == statistics.median(last)
        assert median.values == last


def test_by_default_a_spike_is_ten_times_the_median_of_a_hundred() -> None:
    detector = SpikeDetector(True)
    assert (detector.factor, detector.window) == (10.0, 100)
    assert SpikeDetector(3).factor == 3.0


def test_a_loss_is_judged_by_those_before_it() -> None:
    detector = SpikeDetector({"factor": 5, "window": 4})
    found = [detector.judge(loss, "") for loss in (1, 1, 900, 1, 5, 16, float("inf"), 99)]
    # 5 is not above 5 times the median of (1, 1, 900, 1); 16 is, above that of (1, 900, 1, 5).
    assert found == [None, None, None, None, None, 3.0, None, 10.5]


def test_a_loss_that_stays_high_is_the_new_normal() -> None:
    detector = SpikeDetector({"factor": 5, "window": 6})
    found = [detector.judge(loss, "") is not None for loss in [1.0] * 6 + [10.0] * 6]
    assert found == [False] * 6 + [True] * 3 + [False] * 3


@pytest.mark.parametrize("base", [-1.0, 0.0])
def test_where_the_median_is_not_positive_nothing_is_a_spike(base: float) -> None:
    detector = SpikeDetector({"factor": 5, "window": 2})
    assert [detector.judge(x, "") for x in (base, base, 100.0, base / 2)] == [None] * 4


def test_each_optimizer_has_losses_of_its_own() -> None:
    detector = SpikeDetector({"factor": 5, "window": 2})
    for _ in range(3):
        assert detector.judge(1.0, "a") is None
        assert detector.judge(100.0, "b") is None


def test_skip_leaves_out_the_step_of_a_spike(tmp_path: Path) -> None:
    runner = train(tmp_path, {16: 1e4}, nan_loss={"action": "skip", "spike": SPIKE})
    steps = runner.optim_wrapper.optimizer.state_dict()["state"][0]["step"]
    assert int(steps) == 23
    assert "a spike over the running median" in log_of(runner)
    assert "at iteration 17: its step is skipped" in log_of(runner)


def test_stop_names_loss_and_median(tmp_path: Path) -> None:
    runner = cases.build(tmp_path, {16: 1e4}, nan_loss={"action": "stop", "spike": SPIKE})
    told = r"the loss is \S+ on rank 0, a spike over the running median \S+, at iteration 17"
    with pytest.raises(FloatingPointError, match=told):
        runner.train()
    assert runner.iter == 16


def test_warn_goes_on_with_it(tmp_path: Path) -> None:
    runner = train(tmp_path, {12: 1e4, 18: 1e4}, nan_loss={"spike": SPIKE})
    lines = [line for line in log_of(runner).splitlines() if "a spike" in line]
    assert [line.split("iteration ")[1].split()[0] for line in lines] == ["13.", "19."]
    assert int(runner.optim_wrapper.optimizer.state_dict()["state"][0]["step"]) == 24


def test_without_the_setting_a_spike_is_a_loss(tmp_path: Path) -> None:
    runner = train(tmp_path / "a", {16: 1e4}, nan_loss="stop")
    assert runner.iter == 24
    off = train(tmp_path / "b", {})
    assert off.optim_wrapper.loss_guard is None  # nothing is called in an iteration


@pytest.mark.parametrize("spike", [None, SPIKE])
def test_each_loss_is_one_transfer_from_the_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spike: Any
) -> None:
    counts: Counter[str] = Counter()

    def count(name: str) -> None:
        own = getattr(torch.Tensor, name)

        def counted(self: torch.Tensor, *args: Any) -> Any:
            counts["all"] += 1
            return own(self, *args)

        monkeypatch.setattr(torch.Tensor, name, counted)

    for name in ("tolist", "item", "__bool__", "__float__", "__int__"):
        count(name)
    train(tmp_path / "off", {})
    off = counts.pop("all")
    train(tmp_path / "on", {}, nan_loss={"action": "stop", "spike": spike})
    assert counts["all"] == off + 24


def test_after_a_spike_by_a_glitch_the_run_is_that_without_it(tmp_path: Path) -> None:
    nan_loss = {"action": "rollback", "spike": SPIKE}
    whole = train(tmp_path / "a", {}, nan_loss=nan_loss)
    runner = train(tmp_path / "b", {16: 1e4}, nan_loss=nan_loss)
    assert "at iteration 17: training is rolled back to" in log_of(runner)
    for one, other in zip(whole.model.parameters(), runner.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_resumed_run_compares_with_the_losses_before_it(tmp_path: Path) -> None:
    nan_loss = {"action": "skip", "spike": SPIKE}
    train(tmp_path, {}, nan_loss=nan_loss, train_cfg={**ITERATIONS, "max_iters": 12})
    resumed = train(tmp_path, {12: 1e4}, nan_loss=nan_loss, train_cfg=ITERATIONS, resume=True)
    assert "at iteration 13: its step is skipped" in log_of(resumed)


def test_a_checkpoint_without_losses_begins_a_new_median(tmp_path: Path) -> None:
    train(tmp_path, {}, train_cfg={**ITERATIONS, "max_iters": 12})
    nan_loss = {"action": "stop", "spike": SPIKE}
    resumed = train(tmp_path, {12: 1e4}, nan_loss=nan_loss, train_cfg=ITERATIONS, resume=True)
    assert resumed.iter == 24
    off = train(tmp_path, {}, train_cfg={**ITERATIONS, "max_iters": 26}, resume=True)
    assert "Unexpected states" not in log_of(off)


def test_going_back_and_then_skipping_ends_the_run(tmp_path: Path) -> None:
    bad = {7: float("nan"), 16: 1e4}
    nan_loss = {"action": "rollback", "then": "skip", "spike": SPIKE}
    runner = train(tmp_path, bad, times=100, nan_loss=nan_loss)
    log = log_of(runner)
    assert runner.iter == 24
    assert log.count("training is rolled back to") == 2
    assert [log.count(f"at iteration {i}: its step is skipped") for i in (8, 17)] == [1, 1]
    steps = runner.optim_wrapper.optimizer.state_dict()["state"][0]["step"]
    assert int(steps) == 22


def test_without_a_checkpoint_it_is_skipped_at_once(tmp_path: Path) -> None:
    nan_loss = {"action": "rollback", "then": "skip"}
    runner = train(tmp_path, {1: float("nan")}, times=100, nan_loss=nan_loss)
    assert "at iteration 2: its step is skipped" in log_of(runner)


def test_when_rollbacks_are_used_up_it_is_skipped_at_once(tmp_path: Path) -> None:
    bad = dict.fromkeys((7, 13, 20), float("nan"))
    nan_loss = {"action": "rollback", "then": "skip", "max_times": 1}
    runner = train(tmp_path, bad, times=100, nan_loss=nan_loss)
    log = log_of(runner)
    assert log.count("training is rolled back to") == 1
    assert [log.count(f"at iteration {i + 1}: its step is skipped") for i in bad] == [1, 1, 1]


def test_several_losses_of_an_iteration_are_compared_each_with_its_own(tmp_path: Path) -> None:
    nan_loss = {"action": "stop", "spike": {"factor": 20, "window": 4}}
    runner = spike_cases.build_with_two_losses(tmp_path, nan_loss)
    runner.train()
    assert runner.iter == 24


@pytest.mark.slow
@pytest.mark.parametrize("action", [pytest.param("skip", marks=pytest.mark.exhaustive), "stop"])
def test_all_processes_do_the_same(tmp_path: Path, action: str) -> None:
    first, second = run_in_processes(spike_cases.train_with_a_spike, 2, str(tmp_path), action)
    assert first == second
    told, weights = first
    assert all(x == x for x in weights)
    assert ("on rank 1, a spike" in told and "iteration 17" in told) is (action == "stop")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"spike": {"factr": 3}}, "spike has an unexpected setting 'factr': did you mean 'factor'"),
        ({"spike": {"factor": 1}}, "factor must be a number above 1, got 1"),
        ({"spike": float("nan")}, "factor must be a number above 1, got nan"),
        ({"spike": {"window": 0}}, "spike: window must be an integer of at least 1"),
        ({"spike": "yes"}, "spike in nan_loss must be True, a factor"),
        ({"action": "rollback", "then": "go on"}, "then in nan_loss must be 'stop' or 'skip'"),
        ({"action": "stop", "then": "skip"}, "then='skip' in nan_loss is for action='rollback'"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, setting: Any, told: str) -> None:
    with pytest.raises(RunnerConfigError, match=told):
        cases.build(tmp_path, {}, nan_loss=setting)
