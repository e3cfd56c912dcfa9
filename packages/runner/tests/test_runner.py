"""Running from configs: training, resuming, validation, isolation and bad settings."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from eng.config import Config
from eng.dataset import BaseDataset
from eng.hooks import Hook
from eng.registry import DATASETS, HOOKS, TRANSFORMS, NotRegisteredError
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


@TRANSFORMS.register_module(force=True)
class Noise:
    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        x = torch.tensor([random.random(), np.random.rand(), torch.randn(1).item()])
        return {"inputs": x + data["number"] / 20, "data_samples": x.sum(0, keepdim=True)}


@DATASETS.register_module(force=True)
class NoisyLine(BaseDataset):
    def load_data_list(self) -> list[dict[str, Any]]:
        return [{"number": number} for number in range(20)]


@DATASETS.register_module(force=True)
class ForeignNoisyLine(Dataset):
    """The same without a class of ours."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> dict[str, Any]:
        return Noise()({"number": index})


@pytest.mark.parametrize("by_epoch", [True, False])
@pytest.mark.parametrize("dataset", ["NoisyLine", "ForeignNoisyLine"])
def test_workers_draw_the_same_however_many_they_are_and_wherever_a_run_resumes(
    job: dict[str, Any], tmp_path: Path, by_epoch: bool, dataset: str
) -> None:
    job["default_hooks"]["checkpoint"] = {
        "type": "CheckpointHook",
        "interval": 3,
        "by_epoch": False,
    }
    if not by_epoch:
        job["train_cfg"] = {"by_epoch": False, "max_iters": 15, "val_interval": 4}

    def with_workers(count: int) -> dict[str, Any]:
        cfg = {"type": dataset}
        if dataset == "NoisyLine":
            cfg["pipeline"] = [{"type": "Noise"}]
        loader = {**job["train_dataloader"], "dataset": cfg, "num_workers": count}
        return {**job, "train_dataloader": loader}

    whole = losses_of({**with_workers(2), "work_dir": str(tmp_path / "whole")})
    losses_of(with_workers(1), stop_at=8)
    assert losses_of({**with_workers(2), "resume": True}) == whole[6:]


@HOOKS.register_module(force=True)
class SampleRecorder(LossRecorder):
    """Keeps which samples were trained on."""

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        self.losses.append([round(float(x[0]), 6) for x in data_batch["inputs"]])
        if runner.iter + 1 == self.stop_at:
            raise Stop


@pytest.mark.parametrize(
    ("by_epoch", "sampler"),
    [(True, "DefaultSampler"), (False, "DefaultSampler"), (False, "InfiniteSampler")],
)
def test_runs_resumed_with_other_batches_see_each_sample_once_an_epoch(
    job: dict[str, Any], by_epoch: bool, sampler: str
) -> None:
    """Whose sizes stand for other numbers of processes, which count as one batch of all."""
    if not by_epoch:
        job["train_cfg"] = {"by_epoch": False, "max_iters": 20, "val_interval": 100}
    seen: list[list[float]] = []
    for batch_size, stop_at in ((4, 7), (2, 9), (5, 13), (3, None)):
        job["default_hooks"]["checkpoint"] = {
            "type": "CheckpointHook",
            "interval": stop_at or 100,
            "by_epoch": False,
        }
        loader = {**job["train_dataloader"], "batch_size": batch_size}
        loader["sampler"] = {"type": sampler, "shuffle": True}
        runner = Runner.from_cfg({**job, "train_dataloader": loader, "resume": True})
        runner.register_hook(SampleRecorder(seen, stop_at))
        if stop_at is None:
            runner.train()
        else:
            with pytest.raises(Stop):
                runner.train()
            # A checkpoint is written before the recorder stops the run, with that iteration done.
            assert runner.iter + 1 == stop_at
    samples = [sample for batch in seen for sample in batch]
    assert len(samples) >= 40
    for start in range(0, len(samples) // 20 * 20, 20):
        assert len(set(samples[start : start + 20])) == 20
    if by_epoch:
        assert len(samples) == 60


def test_a_resumed_run_takes_over_the_seed_of_the_sampler(
    job: dict[str, Any], tmp_path: Path
) -> None:
    job["default_hooks"]["checkpoint"] = {
        "type": "CheckpointHook",
        "interval": 3,
        "by_epoch": False,
    }

    def with_seed(seed: int) -> dict[str, Any]:
        """As if none were given, and another one drawn at each start."""
        sampler = {**job["train_dataloader"]["sampler"], "seed": seed}
        return {**job, "train_dataloader": {**job["train_dataloader"], "sampler": sampler}}

    whole = losses_of({**with_seed(1), "work_dir": str(tmp_path / "whole")})
    losses_of(with_seed(1), stop_at=8)
    assert losses_of({**with_seed(2), "resume": True}) == whole[6:]


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


def test_a_config_that_cannot_be_dumped_does_not_stop_the_run(
    job: dict[str, Any], tmp_path: Path
) -> None:
    job["helper"] = lambda: None
    runner = Runner.from_cfg(Config(job, filename="job.yaml"))
    assert "helper = <function" in (Path(runner.work_dir) / "job.py").read_text()
    assert "helper = <function" in (Path(runner.log_dir) / "vis_data" / "config.py").read_text()
    log = (Path(runner.log_dir) / f"{runner.timestamp}.log").read_text()
    assert "cannot be dumped as yaml" in log


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
    wanted = [0.05 * (1 - min(-(-done // 2) if done == 15 else done // 2, 7) / 7)
              for done in range(1, 16)]  # fmt: skip
    assert rates == pytest.approx(wanted)
