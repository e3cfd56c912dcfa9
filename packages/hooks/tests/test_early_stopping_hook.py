"""Training ends when a metric no longer improves."""

from __future__ import annotations

import logging
import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.hooks import EarlyStoppingHook


def runner_in(path: Path) -> FakeRunner:
    return FakeRunner(path, train_loop=SimpleNamespace(stop_training=False))


def epochs_until_stopped(hook: EarlyStoppingHook, path: Path, values: list[Any]) -> int | None:
    """Epochs until training is stopped, None if it is not."""
    runner = runner_in(path)
    hook.before_run(runner)
    hook.before_train(runner)
    for done, value in enumerate(values, 1):
        hook.before_val_epoch(runner)
        hook.after_val_epoch(runner, {"acc": value})
        if runner.train_loop.stop_training:
            return done
    return None


@pytest.mark.parametrize(
    ("values", "kwargs", "wanted"),
    [
        ([0.5, 0.55, 0.58, 0.61, 0.6, 0.6], {"patience": 3}, None),
        ([0.5, 0.55, 0.58, 0.61, 0.6, 0.6, 0.7], {"patience": 3}, 7),
        ([1.0] * 9, {"patience": 2}, 3),
        ([1.0] * 9, {"patience": 2, "min_delta": 0}, 3),
        ([1.0] * 9, {"patience": 0}, 2),
        ([0.5, 0.7, 0.8], {"stopping_threshold": 0.75}, 3),
        ([0.5, 0.75], {"stopping_threshold": 0.75}, None),
        ([0.5, math.nan], {}, 2),
        ([math.inf], {}, 1),
        ([math.nan] * 3, {"check_finite": False, "patience": 2}, 2),
        ([5, 4, 3, 3.2, 3], {"rule": "less", "patience": 2}, 5),
        ([5, 4.95, 4.96], {"rule": "less", "min_delta": 0.01, "patience": 2}, None),
        ([0.5, 0.4], {"rule": "less", "stopping_threshold": 0.45}, 2),
        ([0.1, 0.2], {"min_delta": 0.1, "patience": 1}, 2),
    ],
)
def test_it_ends_training(
    tmp_path: Path, values: list[float], kwargs: dict[str, Any], wanted: int | None
) -> None:
    assert epochs_until_stopped(EarlyStoppingHook("acc", **kwargs), tmp_path, values) == wanted


def test_what_it_has_seen_is_known(tmp_path: Path) -> None:
    hook = EarlyStoppingHook("acc", patience=3)
    epochs_until_stopped(hook, tmp_path, [0.5, 0.55, 0.58, 0.61, 0.6, 0.6])
    assert (hook.best_score, hook.wait_count) == (0.61, 2)


def test_it_continues_from_a_state(tmp_path: Path) -> None:
    hook, other = (EarlyStoppingHook("acc", patience=3, min_delta=0) for _ in range(2))
    epochs_until_stopped(hook, tmp_path, [0.5, 0.4])
    other.load_state_dict(hook.state_dict())
    assert epochs_until_stopped(other, tmp_path, [0.4, 0.4]) == 2
    # One of another rule is of no use.
    opposite = EarlyStoppingHook("acc", rule="less")
    opposite.load_state_dict(hook.state_dict())
    assert opposite.best_score == math.inf
    # A run that had ended by then ends at once, unless it may go on for longer now.
    for patience, is_stopped in ((3, True), (4, False)):
        resumed = EarlyStoppingHook("acc", patience=patience)
        resumed.load_state_dict({"rule": "greater", "best_score": 1, "wait_count": 3, "last": 0})
        runner = runner_in(tmp_path)
        resumed.before_run(runner)
        resumed.before_train(runner)
        assert runner.train_loop.stop_training is is_stopped


def test_a_state_saved_by_a_hook_before_it_has_the_present_validation(tmp_path: Path) -> None:
    hook, runner = EarlyStoppingHook("acc"), runner_in(tmp_path)
    hook.before_train(runner)
    for value, wanted in ((0.5, 0), (0.4, 1)):
        hook.before_val_epoch(runner)
        before = hook.state_dict(runner)
        runner.message_hub.update_scalar("val/acc", value)
        assert hook.state_dict(runner)["wait_count"] == wanted
        assert before["last"] != value == hook.state_dict(runner)["last"]
        hook.after_val_epoch(runner, {"acc": value})
        assert hook.state_dict(runner) == hook.state_dict()
        assert hook.wait_count == wanted


def test_an_evaluation_after_training_is_none_of_its_concern(tmp_path: Path) -> None:
    hook, runner = EarlyStoppingHook("acc", patience=1), runner_in(tmp_path)
    hook.before_train(runner)
    hook.after_val_epoch(runner, {"acc": 0.5})
    hook.after_train(runner)
    hook.after_val_epoch(runner, {"acc": 0.5})
    assert hook.wait_count == 0
    assert not runner.train_loop.stop_training


def test_a_metric_that_is_missing_is_warned_of_or_an_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runner = runner_in(tmp_path)
    with caplog.at_level(logging.WARNING):
        EarlyStoppingHook("accuracy").after_val_epoch(runner, {"acuracy": 1.0})
    assert "missing metric 'accuracy'" in caplog.text
    assert "did you mean 'acuracy'" in caplog.text
    with pytest.raises(RuntimeError, match="missing metric 'acc'"):
        EarlyStoppingHook("acc", strict=True).after_val_epoch(runner, None)
    with pytest.raises(TypeError, match="one number"):
        EarlyStoppingHook("acc").after_val_epoch(runner, {"acc": "high"})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "kwargs",
    [
        {"monitor": "quality"},
        {"monitor": "acc", "rule": "max"},
        {"monitor": 3},
        {"monitor": "acc", "patience": -1},
        {"monitor": "acc", "patience": 1.5},
        {"monitor": "acc", "min_delta": -0.1},
        {"monitor": "acc", "min_delta": "0.1"},
    ],
)
def test_settings_that_cannot_be_right_are_refused(kwargs: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="EarlyStoppingHook"):
        EarlyStoppingHook(**kwargs)


def test_a_loop_that_cannot_be_ended_is_refused(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path, train_loop=SimpleNamespace())
    with pytest.raises(AssertionError, match="stop_training"):
        EarlyStoppingHook("acc").before_run(runner)
    only_validates = FakeRunner(tmp_path, optim_wrapper={"optimizer": {}})
    EarlyStoppingHook("acc").before_run(only_validates)


def test_a_subclass_decides_what_is_better(tmp_path: Path) -> None:
    class Closest(EarlyStoppingHook):
        rule_map: ClassVar[dict[str, Any]] = {
            **EarlyStoppingHook.rule_map,
            "less": lambda new, best: abs(new) < abs(best),
        }

    hook = Closest("acc", rule="less", patience=2, min_delta=0)
    assert epochs_until_stopped(hook, tmp_path, [3.0, -2.0, -4.0, 1.0, 5.0, -5.0]) == 6
