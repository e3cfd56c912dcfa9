"""Checkpoints that are written in the background are those that would have been written at once."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from eng.fileio import LocalBackend
from eng.hooks import CheckpointHook, Hook
from eng.runner import Runner


def train(job: dict[str, Any], name: str, *hooks: Hook, **settings: Any) -> Runner:
    checkpoint = {"type": "CheckpointHook", "interval": 1, **settings}
    hooks_cfg = {**job["default_hooks"], "checkpoint": checkpoint}
    work_dir = str(Path(job["work_dir"]) / name)
    runner = Runner.from_cfg({**job, "work_dir": work_dir, "default_hooks": hooks_cfg})
    for hook in hooks:
        runner.register_hook(hook)
    runner.train()
    return runner


def same(first: Any, second: Any) -> bool:
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second or (first != first and second != second)


def test_the_same_files_with_the_same_states(job: dict[str, Any]) -> None:
    settings = {"max_keep_ckpts": 2, "save_best": "line/loss"}
    folders = []
    for name, async_save in (("sync", False), ("async", True)):
        runner = train(job, name, **settings, async_save=async_save)
        folders.append(Path(runner.work_dir))
    names = [sorted(path.name for path in folder.glob("*.pth")) for folder in folders]
    assert names[0] == names[1]
    for name in names[0]:
        states = [torch.load(folder / name, weights_only=True) for folder in folders]
        for part in ("state_dict", "optimizer", "param_schedulers"):
            assert same(states[0][part], states[1][part])
        assert same(states[0]["train_state"]["random"], states[1]["train_state"]["random"])
    bests = [
        json.loads((folder / "best_checkpoint.json").read_text())["best"] for folder in folders
    ]
    assert bests[0] == bests[1]
    assert [(folder / "last_checkpoint").read_text() for folder in folders] == ["epoch_3.pth"] * 2


class Gate:
    """Holds writes of checkpoints back until training has gone on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened, self.written = threading.Event(), []
        put = LocalBackend.put_with

        def held(backend: LocalBackend, write: Any, path: Any) -> None:
            if str(path).endswith(".pth"):
                assert self.opened.wait(60)
                self.written.append(Path(path).name)
            put(backend, write, path)

        monkeypatch.setattr(LocalBackend, "put_with", held)


class Seen(Hook):
    """Notes what is there an iteration after a save, and lets the write go on later."""

    def __init__(self, gate: Gate) -> None:
        self.gate, self.names = gate, []

    def after_train_iter(self, runner: Any, batch_idx: int, *args: Any, **kwargs: Any) -> None:
        if batch_idx == 3:
            self.names.append(sorted(p.name for p in Path(runner.work_dir).glob("*.pth")))
            self.gate.opened.set()


def test_training_goes_on_meanwhile_and_the_last_is_awaited(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    gate.opened.set()
    seen = Seen(gate)

    class Closing(Hook):
        def after_train_epoch(self, runner: Any) -> None:
            gate.opened.clear()
            if runner.epoch == 2:
                threading.Timer(0.2, gate.opened.set).start()

    job.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    runner = train(job, "work", seen, Closing(), async_save=True)
    assert seen.names == [[], [], ["epoch_1.pth"]]  # not there yet while the next epoch trains
    assert gate.written == ["epoch_1.pth", "epoch_2.pth", "epoch_3.pth"]
    assert (Path(runner.work_dir) / "last_checkpoint").read_text() == "epoch_3.pth"
    assert torch.load(Path(runner.work_dir) / "epoch_1.pth")["meta"]["iter"] == 5


def fill_disk(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    """Let writes of checkpoints fail."""
    put = LocalBackend.put_with

    def full(backend: LocalBackend, write: Any, path: Any) -> None:
        if Path(path).name in names:
            raise OSError(28, "No space left on device", str(path))
        put(backend, write, path)

    monkeypatch.setattr(LocalBackend, "put_with", full)


@pytest.mark.parametrize(
    ("failing", "left"),
    [(("epoch_1.pth", "epoch_2.pth"), []), (("epoch_3.pth",), ["epoch_1.pth", "epoch_2.pth"])],
)
def test_an_error_is_raised_at_the_second_failure_or_the_end(
    job: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    failing: tuple[str, ...],
    left: list[str],
) -> None:
    fill_disk(monkeypatch, failing)
    with pytest.raises(OSError, match="No space left"):
        train(job, "work", async_save=True)
    folder = Path(job["work_dir"]) / "work"
    log = next(folder.glob("*/*.log")).read_text()
    told = log.count("could not be written in the background: [Errno 28] No space left")
    assert told == len(failing)
    assert sorted(path.name for path in folder.glob("*.pth")) == left
    if left:
        assert (folder / "last_checkpoint").read_text() == left[-1]


def test_training_goes_on_after_one_failure(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk(monkeypatch, ("epoch_2.pth", "best_acc_epoch_2.pth"))
    runner = train(job, "work", async_save=True, max_keep_ckpts=1)
    folder = Path(runner.work_dir)
    log = next(folder.glob("*/*.log")).read_text()
    assert "epoch_2.pth could not be saved: [Errno 28]" in log
    # the one that epoch 2 was to replace is replaced by epoch 3
    assert [path.name for path in folder.glob("epoch_*.pth")] == ["epoch_3.pth"]
    assert (folder / "last_checkpoint").read_text() == "epoch_3.pth"
    known = runner.message_hub.get_info("kept_checkpoints")
    assert [each["files"] for each in known.values()] == [["epoch_3.pth"]]


def test_a_best_checkpoint_that_was_not_written_is_not_named(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk(monkeypatch, ("best_line_loss_epoch_2.pth",))
    job["train_cfg"] |= {"val_interval": 2}
    seen = []

    class Noting(Hook):
        priority = "LOWEST"

        def after_train_epoch(self, runner: Any) -> None:
            seen.append([runner.message_hub.get_info(name) for name in ("best_score", "best_ckpt")])

    runner = train(job, "work", Noting(), async_save=True, interval=3, save_best="line/loss")
    assert seen == [[None, None]] * 3
    assert runner.message_hub.get_info("best_ckpt").endswith("best_line_loss_epoch_3.pth")


def test_saving_now_waits_until_it_is_written(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Saving(Hook):
        def before_train_iter(self, runner: Any, batch_idx: int, *args: Any, **kw: Any) -> None:
            if runner.iter == 7:
                (hook,) = [each for each in runner.hooks if isinstance(each, CheckpointHook)]
                hook.save_now(runner)
                assert torch.load(Path(runner.work_dir) / "iter_7.pth")["meta"]["iter"] == 7

    runner = train(job, "work", Saving(), async_save=True)
    resumed = Runner.from_cfg({**job, "work_dir": str(Path(job["work_dir"]) / "resumed")})
    resumed.resume(str(Path(runner.work_dir) / "iter_7.pth"))
    resumed.train()
    first, second = (
        torch.load(Path(each.work_dir) / "epoch_3.pth", weights_only=True)["state_dict"]
        for each in (runner, resumed)
    )
    assert same(first, second)


def test_training_begins_again_after_a_failed_save(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put = LocalBackend.put_with
    faults = [OSError(28, "No space left on device")]

    def full(backend: LocalBackend, write: Any, path: Any) -> None:
        if str(path).endswith("epoch_2.pth") and faults:
            raise faults.pop()
        put(backend, write, path)

    class Failing(Hook):
        def before_val(self, runner: Any) -> None:
            if runner.epoch == 2:
                raise RuntimeError("of somebody else")

    monkeypatch.setattr(LocalBackend, "put_with", full)
    hook = CheckpointHook(interval=1, async_save=True)
    job["default_hooks"]["checkpoint"] = None
    failing = Runner.from_cfg(job)
    failing.register_hook(hook)
    failing.register_hook(Failing())
    with pytest.raises(RuntimeError, match="somebody else"):
        failing.train()
    runner = Runner.from_cfg({**job, "resume": True})
    runner.register_hook(hook)
    runner.train()
    log = next(Path(runner.log_dir).glob("*.log")).read_text()
    assert "The last save of the previous training failed: [Errno 28]" in log
    assert (Path(runner.work_dir) / "last_checkpoint").read_text() == "epoch_3.pth"


def test_no_thread_is_left(job: dict[str, Any]) -> None:
    before = set(threading.enumerate())
    train(job, "work", async_save=True)
    assert set(threading.enumerate()) <= before


def hold_back(monkeypatch: pytest.MonkeyPatch, held: str, path: Path, text: str = "") -> None:
    """Hold writes of a checkpoint back until a file is there, with a text if one is given."""
    put = LocalBackend.put_with

    def wait(backend: LocalBackend, write: Any, target: Any) -> None:
        given_up = time.monotonic() + 30
        while held in str(target) and not (
            path.exists() and (not text or path.read_text() == text)
        ):
            assert time.monotonic() < given_up
            time.sleep(0.01)
        put(backend, write, target)

    monkeypatch.setattr(LocalBackend, "put_with", wait)


@pytest.mark.parametrize(("format_", "suffix"), [("file", ".pth"), ("folder", "")])
def test_the_latest_of_two_hooks_is_named_whichever_is_complete_first(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch, format_: str, suffix: str
) -> None:
    work_dir = Path(job["work_dir"]) / "work"
    hold_back(monkeypatch, "iter_14", work_dir / "last_checkpoint", f"iter_15{suffix}")
    settings = {"by_epoch": False, "save_last": False, "format": format_, "max_keep_ckpts": 1}
    slow = CheckpointHook(interval=7, async_save=True, **settings)
    job.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    train(job, "work", slow, **{**settings, "interval": 5}, async_save=True)
    assert (work_dir / "last_checkpoint").read_text() == f"iter_15{suffix}"
    left = {path.name for path in work_dir.glob("iter_*")}
    assert left == {f"iter_14{suffix}", f"iter_15{suffix}"}


@pytest.mark.parametrize("is_last_saved", [True, False])
def test_a_save_at_once_is_named_before_one_that_is_still_written(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch, is_last_saved: bool
) -> None:
    work_dir = Path(job["work_dir"]) / "work"
    hold_back(monkeypatch, "iter_14", work_dir / "last_checkpoint", "iter_15.pth")
    at_once = CheckpointHook(interval=15, by_epoch=False, save_last=is_last_saved)
    job.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    settings = {"interval": 14, "by_epoch": False, "save_last": False}
    train(job, "work", at_once, **settings, async_save=True)
    assert (work_dir / "last_checkpoint").read_text() == "iter_15.pth"


def test_each_hook_publishes_its_own_last_checkpoint_when_it_is_whole(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    work_dir = Path(job["work_dir"]) / "work"
    # that of the other hook is written once the first one has published its own
    hold_back(monkeypatch, "late_15", work_dir / "iter_15_weights.pth")
    late = CheckpointHook(interval=15, by_epoch=False, filename_tmpl="late_{}.pth", async_save=True)
    job.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    settings = {"interval": 15, "by_epoch": False, "export": "pth", "async_save": True}
    runner = train(job, "work", late, **settings)
    assert torch.load(work_dir / "iter_15_weights.pth").keys() == runner.model.state_dict().keys()
