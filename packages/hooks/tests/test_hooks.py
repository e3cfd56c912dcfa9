"""Hooks driven by a small stand-in for the runner, which their protocol allows."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from eng.hooks import (
    CheckpointHook,
    EMAHook,
    Hook,
    IterTimerHook,
    LoggerHook,
    ParamSchedulerHook,
    Priority,
    RuntimeInfoHook,
    get_priority,
)
from eng.logging import MessageHub


class FakeRunner(SimpleNamespace):
    def __init__(self, work_dir: Path, **settings: Any) -> None:
        super().__init__(
            **{
                "work_dir": str(work_dir),
                "epoch": 0,
                "iter": 0,
                "max_epochs": 4,
                "max_iters": 8,
                "message_hub": MessageHub.get_instance(f"{work_dir}-{time.perf_counter_ns()}"),
                "logger": logging.getLogger("hooks-test"),
                "is_resuming": False,
                **settings,
            }
        )
        self.saved: list[str] = []

    def save_checkpoint(self, out_dir: str, filename: str, **settings: Any) -> None:
        Path(out_dir).mkdir(parents=True, exist_ok=True)
        (Path(out_dir) / filename).write_text(str(settings["meta"]))
        self.saved.append(filename)


def run_epochs(
    hook: CheckpointHook, runner: FakeRunner, scores: list[dict[str, float]]
) -> list[str]:
    hook.before_train(runner)
    for metrics in scores:
        runner.iter += 2
        hook.after_train_epoch(runner)
        runner.epoch += 1
        hook.after_val_epoch(runner, metrics)
    return sorted(path.name for path in Path(hook._folder).glob("*.pth"))


def test_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    hook = CheckpointHook(interval=1, max_keep_ckpts=2, save_best="auto")
    runner = FakeRunner(tmp_path)
    scores = [{"accuracy": 0.5}, {"accuracy": 0.9}, {"accuracy": 0.7}, {"accuracy": 0.8}]
    names = run_epochs(hook, runner, scores)
    assert names == ["best_accuracy_epoch_2.pth", "epoch_3.pth", "epoch_4.pth"]
    assert (tmp_path / "last_checkpoint").read_text() == str(tmp_path / "epoch_4.pth")
    info = runner.message_hub.runtime_info
    assert info["best_score"] == 0.9
    assert info["best_ckpt"] == str(tmp_path / "best_accuracy_epoch_2.pth")
    # The checkpoint of the best epoch is saved again with the knowledge of it.
    assert runner.saved.count("epoch_2.pth") == 2


def test_pointer_never_names_a_removed_checkpoint(tmp_path: Path) -> None:
    class Watching(FakeRunner):
        def save_checkpoint(self, out_dir: str, filename: str, **settings: Any) -> None:
            pointer = Path(self.work_dir) / "last_checkpoint"
            if pointer.exists():
                assert Path(pointer.read_text()).exists()
            super().save_checkpoint(out_dir, filename, **settings)

    hook = CheckpointHook(interval=1, max_keep_ckpts=1)
    assert run_epochs(hook, Watching(tmp_path), [{}, {}, {}]) == ["epoch_3.pth"]


@pytest.mark.parametrize(
    ("metric", "settings", "best"),
    [
        ("val/loss", {}, 2),
        ("coco/bbox_mAP", {}, 3),
        ("strange", {"rule": "less"}, 2),
        ("strange", {"greater_keys": ["strange"]}, 3),
    ],
)
def test_rules(tmp_path: Path, metric: str, settings: dict[str, Any], best: int) -> None:
    hook = CheckpointHook(interval=-1, save_last=False, save_best=metric, **settings)
    scores = [{metric: value} for value in (0.5, 0.2, 0.8, float("nan"))]
    names = run_epochs(hook, FakeRunner(tmp_path), scores)
    assert names == [f"best_{metric.replace('/', '_')}_epoch_{best}.pth"]


def test_several_metrics(tmp_path: Path) -> None:
    hook = CheckpointHook(interval=-1, save_last=False, save_best=["acc", "loss"])
    scores = [{"acc": 0.1, "loss": 1.0}, {"acc": 0.3, "loss": 2.0}]
    names = run_epochs(hook, FakeRunner(tmp_path), scores)
    assert names == ["best_acc_epoch_2.pth", "best_loss_epoch_1.pth"]


def test_last_is_saved_off_the_interval(tmp_path: Path) -> None:
    hook = CheckpointHook(interval=3)
    names = run_epochs(hook, FakeRunner(tmp_path), [{}] * 4)
    assert names == ["epoch_3.pth", "epoch_4.pth"]


def test_out_dir_gets_the_name_of_the_work_dir(tmp_path: Path) -> None:
    hook = CheckpointHook(interval=4, out_dir=str(tmp_path / "elsewhere"))
    run_epochs(hook, FakeRunner(tmp_path / "job"), [{}] * 4)
    assert (tmp_path / "elsewhere" / "job" / "epoch_4.pth").exists()
    pointer = (tmp_path / "job" / "last_checkpoint").read_text()
    assert pointer == str(tmp_path / "elsewhere" / "job" / "epoch_4.pth")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rule": "more"}, "rule"),
        ({"save_best": ["a", "auto"]}, "auto"),
        ({"save_best": ["a", "b", "c"], "rule": ["less", "less"]}, "2 rules for 3"),
        ({"filename_tmpl": "x.pth"}, "filename_tmpl"),
        ({"max_keep_ckpts": 0}, "max_keep_ckpts"),
        ({"file_client_args": {}, "backend_args": {}}, "not both"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_checkpoint_hook_refuses(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        CheckpointHook(**settings)


def test_unknown_metric_and_rule(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="nothing"):
        run_epochs(CheckpointHook(save_best="nothing"), FakeRunner(tmp_path), [{"acc": 1.0}])
    with pytest.raises(ValueError, match="rule="):
        run_epochs(CheckpointHook(save_best="odd"), FakeRunner(tmp_path), [{"odd": 1.0}])


def test_priorities() -> None:
    assert get_priority("very_high") == 10 == get_priority(Priority.VERY_HIGH)
    assert get_priority(77) == 77
    for bad in ("urgent", -1, 101):
        with pytest.raises(ValueError, match="priority"):
            get_priority(bad)
    with pytest.raises(TypeError):
        get_priority(1.5)  # type: ignore[arg-type]


def test_triggered_stages() -> None:
    class Shared(Hook):
        def _before_epoch(self, runner: Any, mode: str = "train") -> None: ...

        def after_run(self, runner: Any) -> None: ...

    expected = ["before_train_epoch", "before_val_epoch", "before_test_epoch", "after_run"]
    assert Shared.get_triggered_stages() == expected
    assert Hook.get_triggered_stages() == []


def test_intervals(tmp_path: Path) -> None:
    hook, runner = Hook(), FakeRunner(tmp_path, epoch=3, iter=7)
    assert hook.every_n_epochs(runner, 2)
    assert not hook.every_n_epochs(runner, 3)
    assert not hook.every_n_epochs(runner, -1)
    assert hook.every_n_train_iters(runner, 4)
    assert hook.every_n_inner_iters(4, 5)
    assert hook.is_last_train_epoch(runner)
    assert hook.is_last_train_iter(runner)
    assert hook.end_of_epoch([0, 1, 2], 2)


def test_ema_validates_and_saves_the_average(tmp_path: Path) -> None:
    model = nn.Linear(2, 1, bias=False)
    runner = FakeRunner(tmp_path, model=model)
    hook = EMAHook(momentum=0.5)
    hook.before_run(runner)
    nn.init.constant_(model.weight, 1.0)
    hook.after_train_iter(runner, 0)
    nn.init.constant_(model.weight, 3.0)
    hook.after_train_iter(runner, 1)
    hook.before_val_epoch(runner)
    assert model.weight.tolist() == [[2.0, 2.0]]
    hook.after_val_epoch(runner)
    assert model.weight.tolist() == [[3.0, 3.0]]
    checkpoint: dict[str, Any] = {"state_dict": dict(model.state_dict())}
    hook.before_save_checkpoint(runner, checkpoint)
    assert checkpoint["state_dict"]["weight"].tolist() == [[2.0, 2.0]]
    assert checkpoint["ema_state_dict"]["module.weight"].tolist() == [[3.0, 3.0]]

    other = FakeRunner(tmp_path, model=nn.Linear(2, 1, bias=False), is_resuming=True)
    fresh = EMAHook(momentum=0.5)
    fresh.before_run(other)
    fresh.after_load_checkpoint(other, checkpoint)
    assert checkpoint["state_dict"]["weight"].tolist() == [[3.0, 3.0]]
    assert fresh.ema_model.module.weight.tolist() == [[2.0, 2.0]]


def test_ema_begins_late(tmp_path: Path) -> None:
    model = nn.Linear(1, 1, bias=False)
    runner = FakeRunner(tmp_path, model=model)
    hook = EMAHook(momentum=0.5, begin_iter=3)
    hook.before_run(runner)
    nn.init.constant_(model.weight, 4.0)
    hook.after_train_iter(runner, 0)
    assert hook.ema_model.module.weight.item() == 4.0
    with pytest.raises(ValueError, match="begin_iter=9"):
        EMAHook(begin_iter=9).before_train(runner)
    with pytest.raises(ValueError, match="not both"):
        EMAHook(begin_iter=1, begin_epoch=1)


def test_schedulers_step_by_their_own_clock(tmp_path: Path) -> None:
    steps = []
    make = lambda by_epoch: SimpleNamespace(  # noqa: E731
        by_epoch=by_epoch, step=lambda: steps.append(by_epoch)
    )
    runner = FakeRunner(tmp_path, param_schedulers={"a": [make(True)], "b": [make(False)]})
    hook = ParamSchedulerHook()
    hook.after_train_iter(runner, 0)
    assert steps == [False]
    hook.after_train_epoch(runner)
    assert steps == [False, True]


def test_runtime_info_keeps_tensors_as_they_are(tmp_path: Path) -> None:
    runner = FakeRunner(
        tmp_path, meta={"seed": 3}, optim_wrapper=SimpleNamespace(get_lr=lambda: {"lr": [0.1, 0.2]})
    )
    hook = RuntimeInfoHook()
    hook.before_run(runner)
    hook.before_train_iter(runner, 0)
    hook.after_train_iter(runner, 0, outputs={"loss": torch.tensor(2.0)})
    hook.after_val_epoch(runner, {"acc": 0.5, "report": "fine"})
    hub = runner.message_hub
    assert hub.get_info("seed") == 3
    assert hub.get_scalar("train/lr").current() == 0.1
    assert hub.get_scalar("train/loss").current() == 2.0
    assert hub.get_scalar("val/acc").current() == 0.5
    assert hub.get_info("val/report") == "fine"


def test_timer_records_times_and_an_estimate(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path)
    hook = IterTimerHook()
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    hook.before_train_iter(runner, 0)
    hook.after_train_iter(runner, 0)
    took = float(runner.message_hub.get_scalar("train/time").current())
    assert runner.message_hub.get_info("eta") == pytest.approx(took * 7)


@pytest.mark.parametrize("settings", [{"interval": 0}, {"interval_exp_name": 0}])
def test_logger_hook_refuses(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        LoggerHook(**settings)


def test_metrics_of_a_test_are_written_as_plain_numbers(tmp_path: Path) -> None:
    metrics = {"acc": torch.tensor(0.5), "per_class": torch.tensor([1.0, 2.0]), "n": 3}
    processor = SimpleNamespace(get_log_after_epoch=lambda *_: (metrics, "a line"))
    runner = FakeRunner(
        tmp_path, log_dir=str(tmp_path), log_processor=processor, test_dataloader=[0], timestamp="t"
    )
    hook = LoggerHook()
    hook.before_run(runner)
    hook.after_test_epoch(runner)
    (written,) = tmp_path.rglob("*.json")
    assert json.loads(written.read_text()) == {"acc": 0.5, "per_class": [1.0, 2.0], "n": 3}
