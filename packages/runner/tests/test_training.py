"""A run saves at intervals of its own unit, and says what it does not save."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eng.hooks import CheckpointHook
from eng.registry import LOOPS
from eng.runner import IterBasedTrainLoop, Runner

NOTHING = "This run saves no checkpoint"
LATE = "counts epochs, but train_cfg trains by iterations"


@LOOPS.register_module(force=True)
class OwnIterations(IterBasedTrainLoop):
    pass


def checkpoint_hook(runner: Runner) -> CheckpointHook:
    (hook,) = [each for each in runner.hooks if isinstance(each, CheckpointHook)]
    return hook


def log_of(runner: Runner) -> str:
    return next(Path(runner.log_dir).glob("*.log")).read_text()


@pytest.mark.parametrize(
    ("train_cfg", "by_epoch", "interval"),
    [
        ({"by_epoch": True, "max_epochs": 3}, True, 1),
        ({"by_epoch": False, "max_iters": 7}, False, 1),
        ({"by_epoch": False, "max_iters": 400}, False, 40),
        ({"by_epoch": False, "max_iters": 400.0}, False, 40),
        ({"by_epoch": False, "max_iters": 40_000}, False, 1000),
        ({"type": "IterBasedTrainLoop", "max_iters": 400}, False, 40),
        ({"type": "OwnIterations", "max_iters": 400}, False, 40),
        ({"type": OwnIterations, "max_iters": 400}, False, 40),
        ({"type": "EpochBasedTrainLoop", "max_epochs": 4}, True, 1),
    ],
)
def test_the_default_interval_is_of_the_unit_of_the_loop(
    job: dict[str, Any], train_cfg: dict[str, Any], by_epoch: bool, interval: int
) -> None:
    hook = checkpoint_hook(Runner.from_cfg({**job, "train_cfg": train_cfg}))
    assert (hook.by_epoch, hook.interval) == (by_epoch, interval)


def test_a_run_by_iterations_is_saved_before_its_end(job: dict[str, Any]) -> None:
    Runner.from_cfg({**job, "train_cfg": {"by_epoch": False, "max_iters": 4}}).train()
    names = sorted(path.name for path in Path(job["work_dir"]).glob("*.pth"))
    assert names == ["iter_1.pth", "iter_2.pth", "iter_3.pth", "iter_4.pth"]


@pytest.mark.parametrize(
    ("settings", "by_epoch", "words"),
    [
        ({"interval": 1}, True, None),
        ({"interval": 5}, True, None),  # the end of training is saved
        ({"interval": -1}, True, None),
        ({"interval": -1, "save_last": False}, True, NOTHING),
        ({"interval": 5, "save_last": False}, True, NOTHING),
        ({"interval": -1, "save_last": False, "save_best": "line/loss"}, True, None),
        ({"interval": 2, "by_epoch": False}, True, None),
        ({"interval": 2}, False, LATE),
        ({"interval": 2, "save_last": False}, False, NOTHING),
        ({"interval": 9, "save_last": False, "by_epoch": False}, False, NOTHING),
        ({"interval": 2, "by_epoch": False}, False, None),
        (None, True, NOTHING),
    ],
)
def test_what_is_not_saved_is_told_in_one_line(
    job: dict[str, Any], settings: dict[str, Any] | None, by_epoch: bool, words: str | None
) -> None:
    length = {"max_epochs": 2} if by_epoch else {"max_iters": 4, "val_interval": 2}
    hook = None if settings is None else {"type": "CheckpointHook", **settings}
    job["default_hooks"]["checkpoint"] = hook
    runner = Runner.from_cfg({**job, "train_cfg": {"by_epoch": by_epoch, **length}})
    runner.train()
    lines = [line for line in log_of(runner).splitlines() if NOTHING in line or LATE in line]
    assert [words in line for line in lines if words is not None] == [True] * len(lines)
    assert bool(lines) == (words is not None)
    if words == NOTHING:
        assert not list(Path(job["work_dir"]).glob("*.pth"))


def test_a_best_one_that_is_never_validated_is_nothing(job: dict[str, Any]) -> None:
    for name in ("val_dataloader", "val_cfg", "val_evaluator"):
        del job[name]
    settings = {"type": "CheckpointHook", "save_last": False, "save_best": "line/loss"}
    job["default_hooks"]["checkpoint"] = settings
    runner = Runner.from_cfg(job)
    runner.train()
    assert log_of(runner).count(NOTHING) == 1
