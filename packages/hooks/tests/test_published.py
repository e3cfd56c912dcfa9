"""Checkpoints are saved from an epoch on, and published after training."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.checkpoint import find_newest_checkpoint
from eng.hooks import CheckpointHook


class Saving(FakeRunner):
    def save_checkpoint(self, out_dir: str, filename: str, **settings: Any) -> None:
        content = {"meta": settings["meta"], "state_dict": {"w": torch.ones(1)}, "optimizer": {}}
        Path(out_dir).mkdir(exist_ok=True)
        torch.save(content, Path(out_dir) / filename)


def trained(hook: CheckpointHook, runner: FakeRunner, scores: list[float]) -> list[str]:
    hook.before_train(runner)
    for score in scores:
        runner.iter += 2
        hook.after_train_iter(runner, 0)
        hook.after_train_epoch(runner)
        runner.epoch += 1
        hook.after_val_epoch(runner, {"acc": score})
    hook.after_train(runner)
    return sorted(path.name for path in Path(runner.work_dir).glob("*.pth"))


@pytest.mark.parametrize(
    ("begin", "interval", "epochs", "wanted"),
    [(3, 2, 7, [3, 5, 7]), (0, 3, 7, [3, 6]), (5, 2, 4, []), (1, 3, 7, [1, 4, 7])],
)
def test_the_interval_counts_from_the_first_that_is_saved(
    tmp_path: Path, begin: int, interval: int, epochs: int, wanted: list[int]
) -> None:
    hook = CheckpointHook(interval, save_begin=begin, save_last=False)
    runner = Saving(tmp_path, max_epochs=epochs)
    assert trained(hook, runner, [0] * epochs) == [f"epoch_{n}.pth" for n in wanted]


@pytest.mark.parametrize(
    ("keys", "top"),
    [(["meta", "state_dict"], {"meta", "state_dict"}), ("state_dict", {"state_dict"})],
)
@pytest.mark.parametrize("save_best", ["acc", ["acc"]])
def test_the_last_and_the_best_are_published(
    tmp_path: Path, keys: Any, top: set[str], save_best: Any
) -> None:
    hook = CheckpointHook(1, max_keep_ckpts=1, save_best=save_best, published_keys=keys)
    names = trained(hook, Saving(tmp_path, max_epochs=3), [0.1, 0.9, 0.5])
    published = [name for name in names if "-" in name]
    assert [name for name in names if "-" not in name] == ["best_acc_epoch_2.pth", "epoch_3.pth"]
    assert [name.split("-")[0] for name in published] == ["best_acc_epoch_2", "epoch_3"]
    for name in published:
        data = (tmp_path / name).read_bytes()
        assert name.split("-")[1] == f"{hashlib.sha256(data).hexdigest()[:8]}.pth"
        content = torch.load(tmp_path / name, weights_only=True)
        assert set(content) == top
        assert content["state_dict"]["w"].item() == 1
    # No run is resumed from one, even where nothing else is left.
    (tmp_path / "last_checkpoint").unlink()
    for name in names:
        if name not in published:
            (tmp_path / name).unlink()
    assert find_newest_checkpoint(str(tmp_path)).path is None


def test_without_a_last_one_only_the_best_is_published(tmp_path: Path) -> None:
    hook = CheckpointHook(
        1, save_last=False, save_best="acc", published_keys=["state_dict", "nothing"]
    )
    names = trained(hook, Saving(tmp_path, max_epochs=2), [0.1, 0.0])
    assert [n.split("-")[0] for n in names if "-" in n] == ["best_acc_epoch_1"]
    assert not any("-" in n for n in trained(CheckpointHook(1), Saving(tmp_path / "b"), [1.0]))


@pytest.mark.parametrize(
    ("kwargs", "kind"),
    [
        ({"save_begin": -1}, ValueError),
        ({"save_begin": 1.5}, TypeError),
        ({"published_keys": 3}, TypeError),
        ({"published_keys": [1]}, TypeError),
        ({"published_keys": ["meta", "meta"]}, AssertionError),
    ],
)
def test_settings_that_cannot_be_right_are_refused(
    kwargs: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind, match="CheckpointHook"):
        CheckpointHook(1, **kwargs)
