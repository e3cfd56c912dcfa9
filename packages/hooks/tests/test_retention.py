"""Which checkpoints are kept: the best ones, some for ever, and those that the clock asks for."""

from __future__ import annotations

import copy
import math
import pickle
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner
from hooks_cases import Minutes, save_by_the_clock, save_in_processes

from eng.dist.testing import run_in_processes
from eng.hooks import BestCheckpoints, CheckpointHook, find_best_checkpoint, save_clock


def run_epochs(hook: CheckpointHook, runner: FakeRunner, scores: list[float]) -> list[str]:
    hook.before_train(runner)
    for score in scores:
        runner.iter += 2
        hook.after_train_epoch(runner)
        runner.epoch += 1
        hook.after_val_epoch(runner, {"acc": score})
    return names_in(runner)


def names_in(runner: FakeRunner) -> list[str]:
    return sorted(path.name for path in Path(runner.work_dir).glob("*.pth"))


def best_of(scores: list[float], count: int) -> list[str]:
    """The epochs of the best scores, the earlier of equal ones."""
    known = [(-score, epoch) for epoch, score in enumerate(scores, 1) if not math.isnan(score)]
    return sorted(f"best_acc_epoch_{epoch}.pth" for _, epoch in sorted(known)[:count])


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5, math.nan]), min_size=1, max_size=8),
    st.integers(1, 4),
    st.integers(0, 8),
)
def test_the_best_are_kept_also_by_a_resumed_run(
    scores: list[float], count: int, first: int
) -> None:
    with TemporaryDirectory() as folder:
        runner = FakeRunner(Path(folder), max_epochs=99)
        hook = CheckpointHook(save_best="acc", save_top_k=count, save_last=False)
        run_epochs(hook, runner, scores[:first])
        runner.is_resuming = True
        hook = CheckpointHook(save_best="acc", save_top_k=count, save_last=False)
        assert run_epochs(hook, runner, scores[first:]) == best_of(scores, count)
        known = [score for score in scores if not math.isnan(score)]
        if known:
            info = runner.message_hub.runtime_info
            assert info["best_score"] == max(known)
            assert Path(info["best_ckpt"]).name == best_of(scores, 1)[0]
            assert find_best_checkpoint(folder) == info["best_ckpt"]


def test_smaller_values_may_be_better_and_each_metric_has_its_own(tmp_path: Path) -> None:
    hook = CheckpointHook(save_best=["acc", "loss"], save_top_k=2)
    runner = FakeRunner(tmp_path, max_epochs=99)
    hook.before_train(runner)
    for acc, loss in [(0.1, 5.0), (0.3, 4.0), (0.2, 1.0), (0.1, 3.0)]:
        runner.iter, runner.epoch = runner.iter + 2, runner.epoch + 1
        hook.after_val_epoch(runner, {"acc": acc, "loss": loss})
    assert names_in(runner) == [
        *(f"best_acc_epoch_{n}.pth" for n in (2, 3)),
        *(f"best_loss_epoch_{n}.pth" for n in (3, 4)),
    ]


def test_nothing_is_removed_before_the_new_one_is_whole(tmp_path: Path) -> None:
    class Failing(FakeRunner):
        def save_checkpoint(self, out_dir: str, filename: str, **more: Any) -> None:
            if filename == "best_acc_epoch_3.pth":
                raise OSError("disk full")
            super().save_checkpoint(out_dir, filename, **more)

    runner = Failing(tmp_path)
    hook = CheckpointHook(save_best="acc", save_top_k=2, save_last=False)
    with pytest.raises(OSError, match="disk full"):
        run_epochs(hook, runner, [0.1, 0.2, 0.3])
    assert names_in(runner) == ["best_acc_epoch_1.pth", "best_acc_epoch_2.pth"]


def test_a_killed_run_leaves_what_its_resume_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = FakeRunner(tmp_path)
    hook = CheckpointHook(save_best="acc", save_top_k=2, save_last=False)
    monkeypatch.setattr(hook, "_remove", lambda name: None)  # killed before that
    assert len(run_epochs(hook, runner, [0.1, 0.2, 0.3])) == 3
    runner.is_resuming = True
    CheckpointHook(save_best="acc", save_top_k=2, save_last=False).before_train(runner)
    assert names_in(runner) == ["best_acc_epoch_2.pth", "best_acc_epoch_3.pth"]
    CheckpointHook(save_best="acc", save_top_k=1, save_last=False).before_train(runner)
    assert names_in(runner) == ["best_acc_epoch_3.pth"]


def test_a_record_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "best_checkpoint.json").write_text(
        '{"run": "r", "best": [{"metric": "acc", "score": 0.5, "file": "a.pth", "epoch": 1, '
        '"iter": 2}]}'
    )
    found = BestCheckpoints.read(str(tmp_path), "r")
    assert found is not None
    assert found.records[0].is_best


def test_every_nth_is_kept_for_ever_beside_the_newest(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path, max_epochs=11)
    hook = CheckpointHook(interval=1, max_keep_ckpts=2, keep_every=4)
    assert run_epochs(hook, runner, [0.0] * 11) == [
        "epoch_10.pth",
        "epoch_11.pth",
        "epoch_4.pth",
        "epoch_8.pth",
    ]
    # A resumed run that keeps fewer does not remove what was to be kept for ever.
    runner.is_resuming = True
    hook = CheckpointHook(interval=1, max_keep_ckpts=1)
    hook.before_train(runner)
    assert names_in(runner) == ["epoch_11.pth", "epoch_4.pth", "epoch_8.pth"]


def test_what_a_resumed_run_keeps_for_ever_leaves_the_list(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path, max_epochs=99)
    hook = CheckpointHook(interval=1, max_keep_ckpts=3, save_begin=1)
    assert run_epochs(hook, runner, [0.0] * 4) == [f"epoch_{n}.pth" for n in (2, 3, 4)]
    hook = CheckpointHook(interval=1, max_keep_ckpts=1, save_begin=1, keep_every=2)
    assert run_epochs(hook, runner, [0.0] * 2) == [f"epoch_{n}.pth" for n in (3, 5, 6)]


def test_saving_now_uses_what_is_kept_for_ever(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path)
    hook = CheckpointHook(interval=1, keep_every=1)
    run_epochs(hook, runner, [0.0])
    hook.save_now(runner)
    assert runner.saved == ["epoch_1.pth"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"interval": 3, "keep_every": 10}, "keep_every=10 must be a multiple"),
        ({"keep_every": 10}, "keep_every=10 must be a multiple"),
        ({"interval": 1, "keep_every": 0}, "keep_every"),
        ({"save_top_k": 2}, "save_top_k=2 needs save_best"),
        ({"save_top_k": 0, "save_best": "acc"}, "save_top_k"),
        ({"save_top_k": -1, "save_best": "acc"}, "save_top_k"),
        ({"save_every_minutes": 0}, "a positive number, got 0"),
        ({"save_every_minutes": True}, "a positive number, got True"),
        ({"save_every_minutes": math.nan}, "a positive number, got nan"),
        ({"save_every_minutes": "30"}, "a positive number, got '30'"),
    ],
)
def test_settings_without_an_effect_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        CheckpointHook(**given)


@pytest.mark.parametrize("by_epoch", [True, False])
def test_saves_by_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_epoch: bool
) -> None:
    clock = Minutes(step=3)
    monkeypatch.setattr(save_clock, "monotonic", clock)
    runner = FakeRunner(tmp_path, max_epochs=9, max_iters=99)
    hook = CheckpointHook(
        interval=-1, by_epoch=by_epoch, save_every_minutes=10, max_keep_ckpts=2, save_last=False
    )
    assert save_by_the_clock(hook, runner, clock, 20) == ["iter_16.pth", "iter_20.pth"]
    assert runner.saved == [f"iter_{n}.pth" for n in (4, 8, 12, 16, 20)]
    assert (tmp_path / "last_checkpoint").read_text() == "iter_20.pth"


def test_any_save_restarts_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Minutes(step=3)
    monkeypatch.setattr(save_clock, "monotonic", clock)
    runner = FakeRunner(tmp_path, max_iters=99)
    hook = CheckpointHook(interval=5, by_epoch=False, save_every_minutes=10, save_last=False)
    save_by_the_clock(hook, runner, clock, 10)
    assert runner.saved == [f"iter_{n}.pth" for n in (4, 5, 9, 10)]


def test_the_clock_is_rarely_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Minutes(step=0.1 / 60)
    monkeypatch.setattr(save_clock, "monotonic", clock)
    hook = CheckpointHook(save_every_minutes=10, save_last=False)
    runner = FakeRunner(tmp_path, max_epochs=9, max_iters=9999)
    save_by_the_clock(hook, runner, clock, 6000)
    (name,) = runner.saved
    assert 5900 < int(name[5:-4]) <= 6010
    assert clock.looks < 120


def test_a_hook_with_a_clock_can_be_copied() -> None:
    hook = CheckpointHook(save_every_minutes=10)
    for other in (copy.deepcopy(hook), pickle.loads(pickle.dumps(hook))):
        assert other.after_train_iter.__self__ is other
    assert "after_train_iter" not in vars(CheckpointHook())


def test_all_processes_save_by_the_clock_of_the_first(tmp_path: Path) -> None:
    found = run_in_processes(save_in_processes, 2, str(tmp_path))
    assert found[0] == found[1] == [f"iter_{n}.pth" for n in (4, 8)]
