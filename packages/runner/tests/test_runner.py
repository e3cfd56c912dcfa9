"""Running from configs: training, resuming, validation, isolation and bad settings."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from eng.config import Config
from eng.hooks import Hook
from eng.registry import HOOKS, NotRegisteredError
from eng.runner import Runner, RunnerConfigError


class Stop(Exception):
    """Stands for a crash of the process."""


@HOOKS.register_module(force=True)
class LossRecorder(Hook):
    """Keeps every loss, and breaks off at an iteration if asked to."""

    def __init__(self, losses: list[float], stop_at: int | None = None) -> None:
        self.losses = losses
        self.stop_at = stop_at
        self.priority = "LOWEST"

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        self.losses.append(float(outputs["loss"]))
        if runner.iter + 1 == self.stop_at:
            raise Stop


def losses_of(job: dict[str, Any], stop_at: int | None = None) -> list[float]:
    losses: list[float] = []
    runner = Runner.from_cfg(job)
    runner.register_hook(LossRecorder(losses, stop_at))
    if stop_at is None:
        runner.train()
    else:
        with pytest.raises(Stop):
            runner.train()
    return losses


def scalars_of(runner: Runner) -> list[dict[str, Any]]:
    path = Path(runner.log_dir) / "vis_data" / "scalars.json"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_trains_validates_and_tests(job: dict[str, Any]) -> None:
    runner = Runner.from_cfg(Config(job))
    runner.train()
    assert (runner.epoch, runner.iter, runner.max_iters) == (3, 15, 15)
    assert sorted(p.name for p in Path(job["work_dir"]).glob("*.pth")) == [
        "epoch_1.pth",
        "epoch_2.pth",
        "epoch_3.pth",
    ]
    records = scalars_of(runner)
    assert sum("line/loss" in record for record in records) == 3
    assert [record["iter"] for record in records if "iter" in record] == list(range(1, 16))
    metrics = runner.test()
    assert set(metrics) == {"line/loss"}


@pytest.mark.parametrize("by_epoch", [True, False])
@pytest.mark.parametrize("stop_at", [4, 5, 7, 11])
def test_resumed_run_has_the_losses_of_an_uninterrupted_one(
    job: dict[str, Any], tmp_path: Path, stop_at: int, by_epoch: bool
) -> None:
    job["default_hooks"]["checkpoint"] = {
        "type": "CheckpointHook",
        "interval": 3,
        "by_epoch": False,
    }
    job["custom_hooks"] = [{"type": "EMAHook", "momentum": 0.1}]
    if not by_epoch:
        job["train_cfg"] = {"by_epoch": False, "max_iters": 15, "val_interval": 4}
    whole = losses_of({**job, "work_dir": str(tmp_path / "whole")})
    losses_of(job, stop_at)
    saved = stop_at // 3 * 3
    rest = losses_of({**job, "resume": True})
    assert rest == whole[saved:]


def test_resume_at_the_end_of_an_epoch_is_exact(job: dict[str, Any], tmp_path: Path) -> None:
    whole = losses_of({**job, "work_dir": str(tmp_path / "whole")})
    losses_of(job, stop_at=12)
    assert losses_of({**job, "resume": True}) == whole[10:]


def test_resume_loads_the_end_of_training_and_does_nothing(job: dict[str, Any]) -> None:
    losses_of(job)
    assert losses_of({**job, "resume": True}) == []


def test_validation_does_not_change_training(job: dict[str, Any], tmp_path: Path) -> None:
    job["val_dataloader"]["sampler"]["shuffle"] = True
    often = losses_of(job)
    for key in ("val_dataloader", "val_cfg", "val_evaluator"):
        job.pop(key)
    assert losses_of({**job, "work_dir": str(tmp_path / "never")}) == often


def test_checkpoint_is_plain_data(job: dict[str, Any]) -> None:
    job["custom_hooks"] = [{"type": "EMAHook"}]
    Runner.from_cfg(job).train()
    path = Path(job["work_dir"]) / "epoch_3.pth"
    checkpoint = torch.load(path, weights_only=True)
    assert checkpoint["meta"]["epoch"] == 3
    assert {"state_dict", "ema_state_dict", "optimizer", "param_schedulers", "message_hub"} <= set(
        checkpoint
    )


def test_two_runners_share_nothing(job: dict[str, Any], tmp_path: Path) -> None:
    first = Runner.from_cfg({**job, "experiment_name": "same"})
    second = Runner.from_cfg(
        {**job, "experiment_name": "same", "work_dir": str(tmp_path / "other")}
    )
    first.train()
    assert second.message_hub is not first.message_hub
    assert not second.message_hub.log_scalars
    assert second.logger is not first.logger
    assert second.visualizer is not first.visualizer
    assert not (Path(second.log_dir) / "vis_data" / "scalars.json").exists()


def test_two_starts_in_one_second_log_apart(job: dict[str, Any]) -> None:
    assert Runner.from_cfg(job).log_dir != Runner.from_cfg(job).log_dir


def test_iter_based_training(job: dict[str, Any]) -> None:
    job["train_cfg"] = {"by_epoch": False, "max_iters": 12, "val_interval": 6}
    job["train_dataloader"]["sampler"] = {"type": "InfiniteSampler"}
    runner = Runner.from_cfg(job)
    runner.train()
    assert runner.iter == 12
    assert sum("line/loss" in record for record in scalars_of(runner)) == 2


def test_dynamic_intervals(job: dict[str, Any]) -> None:
    job["train_cfg"] = {
        "by_epoch": True,
        "max_epochs": 6,
        "val_interval": 4,
        "dynamic_intervals": [(5, 1)],
    }
    runner = Runner.from_cfg(job)
    runner.train()
    steps = [record["step"] for record in scalars_of(runner) if "line/loss" in record]
    assert steps == [4, 5, 6]


def test_auto_scale_lr(job: dict[str, Any]) -> None:
    job["auto_scale_lr"] = {"enable": True, "base_batch_size": 2}
    job["param_scheduler"] = None
    runner = Runner.from_cfg(job)
    runner.train()
    assert runner.optim_wrapper.get_lr() == {"lr": [0.1]}


def test_stages_are_resolved_to_hooks_that_override_them(job: dict[str, Any]) -> None:
    called: list[tuple[str, int]] = []

    class Shared(Hook):
        def _after_iter(
            self,
            runner: Any,
            batch_idx: int,
            data_batch: Any = None,
            outputs: Any = None,
            mode: str = "train",
        ) -> None:
            called.append((mode, batch_idx))

    runner = Runner.from_cfg(job)
    runner.register_hook(Shared())
    runner.train()
    assert called[:6] == [("train", i) for i in range(5)] + [("val", 0)]
    assert not runner._hooks.at("before_val_iter") or all(
        type(method.__self__) is not Shared for method in runner._hooks.at("before_val_iter")
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"train_cfg": 5}, "train_cfg must be a dict"),
        ({"train_cfg": {"max_epochs": 2}}, "by_epoch"),
        ({"train_cfg": {"by_epoch": True, "max_epochs": 0}}, "max_epochs"),
        ({"train_dataloader": None}, "train_dataloader"),
        ({"optim_wrapper": {"lr": 1}}, "optimizer"),
        ({"train_dataloder": {}}, "did you mean 'train_dataloader'"),
        ({"model": 3}, "model must be"),
        ({"log_processor": {"custom_cfg": [{"data_src": "loss"}]}}, "method_name"),
    ],
)
def test_bad_settings_are_named(job: dict[str, Any], change: dict[str, Any], words: str) -> None:
    with pytest.raises(RunnerConfigError, match=words):
        Runner.from_cfg({**job, **change}).train()


def test_unknown_type_names_registry_and_closest(job: dict[str, Any]) -> None:
    job["model"] = {"type": "LineModle"}
    with pytest.raises(NotRegisteredError, match=r"LineModle.*model.*LineModel"):
        Runner.from_cfg(job)


def test_config_is_not_changed(job: dict[str, Any]) -> None:
    before = copy.deepcopy(job)
    Runner.from_cfg(job).train()
    assert job == before


def test_log_lines(job: dict[str, Any]) -> None:
    runner = Runner.from_cfg(job)
    runner.train()
    log = next(Path(runner.log_dir).glob("*.log")).read_text()
    assert "Epoch(train)  [1][1/5]  lr: 5.0000e-03  eta: " in log
    assert "Epoch(val)    [3][5/5]  line/loss: " in log


def test_a_schedule_may_count_updates_instead_of_batches(job: dict[str, Any]) -> None:
    job["optim_wrapper"]["accumulative_counts"] = 2
    job["param_scheduler"] = {"type": "PolyLR", "by": "step"}
    runner = Runner.from_cfg(job)
    rates: list[float] = []

    class RateRecorder(Hook):
        priority = "LOWEST"

        def after_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
            rates.append(runner.optim_wrapper.get_lr()["lr"][0])

    runner.register_hook(RateRecorder())
    runner.train()
    # 15 batches are 8 updates, the last of them of one batch.
    assert runner.param_schedulers[0].end == 8
    wanted = [0.05 * (1 - min(-(-done // 2) if done == 15 else done // 2, 7) / 8)
              for done in range(1, 16)]  # fmt: skip
    assert rates == pytest.approx(wanted)
