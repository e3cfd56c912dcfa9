"""Running from configs: training, resuming, validation, isolation and bad settings."""

from __future__ import annotations

import copy
import json
import multiprocessing
import random
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset

sys.path.insert(0, str(Path(__file__).parent))

import runner_workers as workers

from eng.config import Config
from eng.dataset import BaseDataset
from eng.dist.testing import run_in_processes
from eng.hooks import EMAHook, Hook, LoggerHook, ParamSchedulerHook, RuntimeInfoHook
from eng.logging import MessageHub, MMLogger
from eng.model import BaseModel, BaseTTAModel
from eng.optim import OptimWrapper, OptimWrapperDict
from eng.registry import (
    DATA_SAMPLERS,
    DATASETS,
    HOOKS,
    LOG_PROCESSORS,
    LOOPS,
    METRICS,
    MODELS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    OPTIM_WRAPPERS,
    PARAM_SCHEDULERS,
    TRANSFORMS,
    VISUALIZERS,
    NotRegisteredError,
    Registry,
)
from eng.runner import (
    BaseLoop,
    EpochBasedTrainLoop,
    LogProcessor,
    Runner,
    RunnerConfigError,
    ValLoop,
)
from eng.runner.older_names import _InfiniteDataloaderIterator
from eng.vis import Visualizer


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


@pytest.mark.parametrize("by_epoch", [True, False])
@pytest.mark.parametrize("persistent", [True, False])
def test_workers_end_with_training_however_it_ends(
    job: dict[str, Any], by_epoch: bool, persistent: bool
) -> None:
    if not by_epoch:
        job["train_cfg"] = {"by_epoch": False, "max_iters": 14, "val_interval": 5}
    for name in ("train_dataloader", "val_dataloader"):
        job[name] |= {"num_workers": 1, "persistent_workers": persistent}
    before = set(multiprocessing.active_children())
    losses: list[float] = []
    runner = Runner.from_cfg(job)
    recorder = LossRecorder(losses, stop_at=8)
    runner.register_hook(recorder)
    with pytest.raises(Stop) as kept:  # with all that its traceback refers to
        runner.train()
    assert set(multiprocessing.active_children()) == before
    recorder.stop_at = None
    runner.train()
    assert set(multiprocessing.active_children()) == before
    assert kept.value is not None


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


WARM = {"type": "LinearLR", "start_factor": 0.1}


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


def test_two_runners_that_take_turns_run_as_if_alone(job: dict[str, Any], tmp_path: Path) -> None:
    def make(name: str) -> Runner:
        return Runner.from_cfg({**job, "work_dir": str(tmp_path / name), "param_scheduler": WARM})

    alone = make("alone")
    alone.train()
    first, second = make("first"), make("second")
    for runner in (first, second):
        runner.train()
        assert MessageHub.get_current_instance() is runner.message_hub
        assert MMLogger.get_current_instance() is runner.logger
        assert Visualizer.get_current_instance() is runner.visualizer
    assert first.val() == second.val() == alone.val()
    for runner in (first, second):
        for name, value in runner.model.state_dict().items():
            assert torch.equal(value, alone.model.state_dict()[name])
        log = (Path(runner.log_dir) / f"{runner.timestamp}.log").read_text()
        assert log.count("LinearLR lasts until the end of training") == 1


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

    def list_hooks(stage: str) -> list[str]:
        methods: list[Any] = runner._hooks.at[stage]
        return [type(getattr(each, "func", each).__self__).__name__ for each in methods]

    assert list_hooks("before_val_iter") == ["IterTimerHook"]
    assert list_hooks("after_val_iter") == ["IterTimerHook", "Shared", "LoggerHook"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"train_cfg": 5}, "train_cfg must be a dict"),
        ({"train_cfg": {"max_epochs": 2}}, "by_epoch"),
        ({"train_cfg": {"by_epoch": True, "max_epochs": 0}}, "max_epochs"),
        ({"train_dataloader": None}, "train_dataloader"),
        ({"optim_wrapper": {"lr": 1}}, "optimizer"),
        ({"model": 3}, "model must be"),
        ({"train_cfg": {"by_epoch": True, "max_epochs": 2, "val_interval": 0}}, "val_interval"),
        ({"train_cfg": {"by_epoch": True, "max_epochs": 2, "val_begin": -1}}, "val_begin"),
        ({"train_cfg": {"by_epoch": True, "max_epochs": 2.5}}, "max_epochs"),
        ({"train_cfg": {"by_epoch": False, "max_iters": True}}, "max_iters"),
        (
            {"train_cfg": {"by_epoch": True, "max_epochs": 2, "dynamic_intervals": [(1, 0)]}},
            "dynamic_intervals",
        ),
        (
            {"train_cfg": {"by_epoch": True, "max_epochs": 2, "dynamic_intervals": [3]}},
            "dynamic_intervals",
        ),
        ({"log_processor": {"custom_cfg": [{"data_src": "loss"}]}}, "method_name"),
        ({"log_processor": "LogProcessor"}, "log_processor must be a dict .* not str"),
        ({"visualizer": [{"type": "Visualizer"}]}, "visualizer must be a dict .* not list"),
        ({"visualizer": Visualizer}, "visualizer must be a dict .* not Visualizer"),
        ({"default_hooks": [{"type": "LoggerHook"}]}, "default_hooks must be a dict .* not list"),
        ({"custom_hooks": {"type": "EMAHook"}}, "custom_hooks must be a list .* not (Config)?[dD]"),
        ({"custom_hooks": EMAHook()}, "custom_hooks must be a list .* not EMAHook"),
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


@pytest.mark.parametrize(
    "change",
    [
        {"train_cfg": 5},
        {"train_cfg": {"by_epoch": True, "max_epochs": 2, "val_interval": 0}},
        {"train_dataloader": None},
        {"val_evaluator": None},
        {"optim_wrapper": None, "train_dataloader": None, "train_cfg": None},
        {"train_cfg": {}},
        {"train_cfg": {"by_epoch": True}},
        {"train_cfg": {"by_epoch": True, "max_epochs": 2, "val_intervall": 1}},
        {"train_cfg": {"type": "EpochBasedTrainLoop", "max_epochs": 2, "val_interval": 0}},
        {"train_cfg": {"by_epoch": True, "max_epochs": 2, "dynamic_intervals": [(1, 0)]}},
        {"model": {"type": "Unknown"}},
        {"model": "x"},
        {"custom_hooks": [3]},
        {"custom_hooks": [{"type": "UnknownHook"}]},
        {"default_hooks": {"logger": {"type": "LoggerHook", "interval": 0}}},
        {"log_level": "LOUD"},
        {"visualizer": {"type": "Unknown"}},
    ],
)
def test_a_refused_runner_leaves_no_folder(job: dict[str, Any], change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, LookupError)):
        Runner.from_cfg({**job, **change})
    assert not Path(job["work_dir"]).exists()


def test_a_refused_runner_leaves_what_was_there(job: dict[str, Any]) -> None:
    folder = Path(job["work_dir"])
    folder.mkdir()
    (folder / "mine.txt").write_text("x")
    with pytest.raises(NotRegisteredError):
        Runner.from_cfg({**job, "model": {"type": "Unknown"}})
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_a_setting_of_the_loop_that_is_misspelt_names_the_closest(job: dict[str, Any]) -> None:
    job["train_cfg"]["val_intervall"] = 2
    with pytest.raises(RunnerConfigError, match="'val_intervall': did you mean 'val_interval'"):
        Runner.from_cfg(job)


def test_counts_may_be_whole_numbers_of_other_types(job: dict[str, Any]) -> None:
    job["train_cfg"] = {"by_epoch": True, "max_epochs": np.int64(2), "val_interval": 1.0}
    runner = Runner.from_cfg(job)
    runner.train()
    assert runner.epoch == 2


@pytest.mark.parametrize("mode", ["train", "val", "test"])
def test_parts_of_a_loop_that_is_missing_name_what_to_give(job: dict[str, Any], mode: str) -> None:
    partner = "optim_wrapper" if mode == "train" else f"{mode}_evaluator"
    names = [f"{mode}_dataloader", f"{mode}_cfg", partner]
    dropped = [*names, *(["param_scheduler"] if mode == "train" else [])]
    runner = Runner.from_cfg({k: v for k, v in job.items() if k not in dropped})
    assert getattr(runner, f"{mode}_loop") is None
    for name in (f"{mode}_dataloader", *([partner] if mode != "train" else [])):
        words = f"for {name}, give {names[0]}, {names[1]} and {names[2]}"
        with pytest.raises(RunnerConfigError, match=words):
            getattr(runner, name)
        assert not hasattr(runner, name)


class ForeignLoop(BaseLoop):
    """Counts as the loops of others do, and has no state."""

    def __init__(self, runner: Any, dataloader: Any, steps: int) -> None:
        super().__init__(runner, dataloader)
        self._epoch = self._iter = 0
        self._steps = steps

    epoch = property(lambda self: self._epoch)
    iter = property(lambda self: self._iter)
    max_epochs = 1
    max_iters = property(lambda self: self._steps)

    def run(self) -> Any:
        self.runner.call_hook("before_train")
        batches = iter(self.dataloader)
        while self._iter < self._steps:
            batch = next(batches)
            self.runner.call_hook("before_train_iter", batch_idx=self._iter, data_batch=batch)
            outputs = self.runner.model.train_step(batch, optim_wrapper=self.runner.optim_wrapper)
            self.runner.call_hook(
                "after_train_iter", batch_idx=self._iter, data_batch=batch, outputs=outputs
            )
            self._iter += 1
        self.runner.call_hook("after_train")
        return self.runner.model


def test_a_foreign_loop_runs_and_is_resumed_by_its_counts(job: dict[str, Any]) -> None:
    LOOPS.register_module(module=ForeignLoop, force=True)
    job["train_cfg"] = {"type": "ForeignLoop", "steps": 4}
    job["default_hooks"]["checkpoint"] = {
        "type": "CheckpointHook",
        "by_epoch": False,
        "interval": 2,
    }
    job["log_processor"] = {"by_epoch": False}
    runner = Runner.from_cfg(job)
    runner.train()
    assert (runner.iter, runner.progress.iter) == (4, 4)
    job["train_cfg"] = {"type": "ForeignLoop", "steps": 5}
    assert len(losses_of({**job, "resume": True})) == 1


def test_a_loop_may_count_epochs_late_or_not_at_all(job: dict[str, Any]) -> None:
    class Uncounted(BaseLoop):
        iter, max_epochs, max_iters = 0, 1, 5

        def run(self) -> Any:
            self.runner.call_hook("before_train")
            seen.append((self.runner.epoch, self.runner.iter))
            self.epoch, self.iter = 1, 5
            seen.append((self.runner.epoch, self.runner.iter))
            self.runner.call_hook("after_train")
            return self.runner.model

    seen: list[tuple[int, int]] = []
    LOOPS.register_module(module=Uncounted, force=True)
    job["train_cfg"] = {"type": "Uncounted"}
    runner = Runner.from_cfg(job)
    assert (runner.epoch, runner.iter) == (0, 0)
    runner.train()
    assert seen == [(0, 0), (1, 5)]


@pytest.mark.parametrize(("interval", "times"), [(100, 1), (3, 4)])
def test_a_loop_by_iterations_goes_over_the_modules_only_after_a_validation(
    job: dict[str, Any], interval: int, times: int
) -> None:
    job["train_cfg"] = {"by_epoch": False, "max_iters": 10, "val_interval": interval}
    runner = Runner.from_cfg(job)
    modes: list[bool] = []
    train = runner.model.train

    def note(mode: bool = True) -> Any:
        modes.append(mode)
        return train(mode)

    runner.model.train = note
    runner.model.requires_grad_().eval()
    modes.clear()
    runner.train()
    assert modes.count(True) == times
    assert modes.count(False) == (10 - 1) // interval + 1


class OwnEpochLoop(EpochBasedTrainLoop):
    """Written as people write them: over the data loader, with counts of its own."""

    def run_epoch(self) -> None:
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        for idx, data_batch in enumerate(self.dataloader):
            self.run_iter(idx, data_batch)
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1

    def run_iter(self, idx: int, data_batch: Any) -> None:
        self.runner.call_hook("before_train_iter", batch_idx=idx, data_batch=data_batch)
        outputs = self.runner.model.train_step(data_batch, optim_wrapper=self.runner.optim_wrapper)
        self.runner.call_hook(
            "after_train_iter", batch_idx=idx, data_batch=data_batch, outputs=outputs
        )
        self._iter += 1


@pytest.mark.parametrize("stop_at", [5, 8])
def test_a_loop_with_counts_of_its_own_resumes_exactly(
    job: dict[str, Any], tmp_path: Path, stop_at: int
) -> None:
    LOOPS.register_module(module=OwnEpochLoop, force=True)
    job["train_cfg"] = {"type": "OwnEpochLoop", "max_epochs": 3}
    job["default_hooks"]["checkpoint"] = {
        "type": "CheckpointHook",
        "by_epoch": False,
        "interval": 3,
    }
    whole = losses_of({**job, "work_dir": str(tmp_path / "whole")})
    losses_of(job, stop_at)
    assert losses_of({**job, "resume": True}) == whole[stop_at // 3 * 3 :]


class OwnRun(EpochBasedTrainLoop):
    """Has a run of its own, as loops of downstream libraries do."""

    def run(self) -> Any:
        self.runner.call_hook("before_train")
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._decide_current_val_interval()
            if self._epoch >= self.val_begin and self._epoch % self.val_interval == 0:
                self.runner.val_loop.run()
        self.runner.call_hook("after_train")
        return self.runner.model


def test_a_loop_with_a_run_of_its_own_decides_when_to_validate(job: dict[str, Any]) -> None:
    LOOPS.register_module(module=OwnRun, force=True)
    job["train_cfg"] = {
        "type": "OwnRun",
        "max_epochs": 6,
        "val_interval": 3,
        "dynamic_intervals": [(4, 2), (6, 1)],
    }
    runner = Runner.from_cfg(job)
    runner.train()
    steps = [record["step"] for record in scalars_of(runner) if "line/loss" in record]
    assert steps == [4, 5, 6]


TEST = ("test_dataloader", "test_cfg", "test_evaluator")


class CountingLoop(ValLoop):
    def run(self) -> dict[str, float]:
        return {"count": 1.0}


def test_loops_are_read_and_replaced_under_their_private_names(job: dict[str, Any]) -> None:
    runner: Any = Runner.from_cfg({**job, **dict.fromkeys(TEST)})
    assert runner._train_loop == job["train_cfg"]  # not built by being read
    assert runner._test_loop is None
    assert runner._randomness_cfg == {"seed": 1, "deterministic": False, "diff_rank_seed": False}
    assert runner.train_loop is runner._train_loop
    runner._val_loop = CountingLoop(runner, runner.val_dataloader, runner.val_evaluator)
    assert runner.val() == {"count": 1.0}
    runner._val_loop = None
    runner.train()
    assert not [record for record in scalars_of(runner) if "line/loss" in record]


class GrowingData(Hook):
    """Trains on more data in each epoch."""

    def __init__(self, is_seeded: bool) -> None:
        self.is_seeded = is_seeded

    def before_train_epoch(self, runner: Any) -> None:
        data = {"type": "LineData", "length": 8 + 4 * runner.epoch}
        cfg = {**runner.cfg.train_dataloader, "dataset": data}
        seed = runner.seed if self.is_seeded else None
        runner.train_loop.dataloader = runner.build_dataloader(cfg, seed=seed)


@pytest.mark.parametrize(("stop_at", "is_seeded"), [(3, True), (7, True), (7, False)])
def test_data_that_a_hook_replaces_is_read_and_resumed(
    job: dict[str, Any], tmp_path: Path, stop_at: int, is_seeded: bool
) -> None:
    saved = {"type": "CheckpointHook", "by_epoch": False, "interval": 1}
    job["default_hooks"]["checkpoint"] = saved
    job["custom_hooks"] = [GrowingData(is_seeded)]
    whole = losses_of({**job, "work_dir": str(tmp_path / "whole")})
    assert len(whole) == 2 + 3 + 4
    losses_of(job, stop_at)
    assert losses_of({**job, "resume": True}) == whole[stop_at:]


class SmallerBatches(Hook):
    def __init__(self, replaces_iterator: bool) -> None:
        self.sizes: list[int] = []
        self.replaces_iterator = replaces_iterator

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        self.sizes.append(len(data_batch["inputs"]))
        if runner.iter == 2:
            loop = runner.train_loop
            cfg = {**runner.cfg.train_dataloader, "batch_size": 3}
            loop.dataloader = runner.build_dataloader(cfg, seed=runner.seed)
            if self.replaces_iterator:
                loop.dataloader_iterator = _InfiniteDataloaderIterator(loop.dataloader)


@pytest.mark.parametrize("replaces_iterator", [True, False])
def test_data_is_replaced_by_iterations(job: dict[str, Any], replaces_iterator: bool) -> None:
    job["train_cfg"] = {"by_epoch": False, "max_iters": 11}
    hook = SmallerBatches(replaces_iterator)
    runner = Runner.from_cfg(job)
    runner.register_hook(hook)
    runner.train()
    assert hook.sizes == [4, 4, 4, 3, 3, 3, 3, 3, 3, 2, 3]


class Stream(IterableDataset):
    def __iter__(self) -> Any:
        yield from DATASETS.build({"type": "LineData", "length": 10})


@pytest.mark.parametrize("mode", ["val", "test"])
def test_a_stream_is_evaluated_and_logged(job: dict[str, Any], mode: str) -> None:
    job[f"{mode}_dataloader"] = DataLoader(Stream(), batch_size=4)
    runner = Runner(**job)
    assert "line/loss" in (runner.val() if mode == "val" else runner.test())
    log = next(Path(runner.log_dir).glob("*.log")).read_text()
    assert "[3/?]  line/loss: " in log
    runner.train()


class LateLoop(BaseLoop):
    """Has its data loader only while it runs, as loops over several of them have."""

    def __init__(self, runner: Any, dataloader: Any, evaluator: Any) -> None:
        self._runner = runner
        self.loaders = [runner.build_dataloader(each) for each in dataloader]

    def run(self) -> dict[str, float]:
        for stage in ("before_val", "before_val_epoch"):
            self.runner.call_hook(stage)
        self.runner.call_hook("after_val_epoch", metrics={"n": float(len(self.loaders))})
        self.runner.call_hook("after_val")
        return {"n": 2.0}


def test_a_loop_without_a_data_loader_of_its_own_is_logged(job: dict[str, Any]) -> None:
    LOOPS.register_module(module=LateLoop, force=True)
    job.update(val_cfg={"type": "LateLoop"}, val_dataloader=[job["val_dataloader"]] * 2)
    runner = Runner.from_cfg(job)
    runner.train()
    assert [each["n"] for each in scalars_of(runner) if "n" in each] == [2.0] * 3


@pytest.mark.parametrize("shuffle", [True, False])
def test_data_of_an_evaluation_is_replaced_as_a_whole(job: dict[str, Any], shuffle: bool) -> None:
    def load(length: int) -> DataLoader[Any]:
        return DataLoader(DATASETS.build({"type": "LineData", "length": length}), 3, shuffle)

    job["test_dataloader"] = load(10)
    runner = Runner(**job)
    seen: list[int] = []
    runner.test_evaluator.process = lambda data_samples, data_batch: seen.append(len(data_samples))
    runner.test_evaluator.evaluate = lambda size: {"size": float(size)}
    assert (runner.test(), sum(seen)) == ({"size": 10}, 10)
    runner.test_loop.dataloader = load(17)  # type: ignore[union-attr]
    assert (runner.test(), sum(seen)) == ({"size": 17}, 27)


def test_hooks_are_a_list_that_others_may_change(job: dict[str, Any]) -> None:
    class Noting(Hook):
        def __init__(self) -> None:
            self.seen: list[int] = []

        def after_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
            self.seen.append(runner.iter)
            if runner.iter == 4:
                runner.hooks.remove(self)

    removed, popped, first = Noting(), Noting(), Noting()
    runner = Runner(**job, custom_hooks=[removed, popped])
    assert runner.hooks.pop(runner.hooks.index(popped)) is popped
    runner.hooks.insert(0, first)
    runner.hooks[:] = [hook for hook in runner.hooks if not isinstance(hook, LoggerHook)]
    runner.train()
    assert (removed.seen, popped.seen, first.seen) == ([0, 1, 2, 3, 4], [], [0, 1, 2, 3, 4])
    assert not list(Path(runner.work_dir).rglob("scalars.json"))


class OwnRates(ParamSchedulerHook):
    """Has an __init__ of its own, as hooks of downstream libraries have."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        for group in runner.optim_wrapper.param_groups:
            group["lr"] = self.rate


class OwnInfo(RuntimeInfoHook):
    def __init__(self, text: str) -> None:
        self.text = text


def test_hooks_with_an_init_of_their_own_take_the_place_of_default_ones(
    job: dict[str, Any],
) -> None:
    hooks = {"param_scheduler": OwnRates(0.5), "runtime_info": OwnInfo("a")}
    runner = Runner.from_cfg({**job, "param_scheduler": None, "default_hooks": hooks})
    assert "line/loss" in runner.val()
    runner.train()
    assert runner.optim_wrapper.get_lr() == {"lr": [0.5]}
    assert "line/loss" in runner.test()


def test_a_run_resumed_with_another_seed_takes_over_the_old_one(
    job: dict[str, Any], tmp_path: Path
) -> None:
    whole = losses_of({**job, "work_dir": str(tmp_path / "whole")})
    losses_of(job, stop_at=8)
    again = {**job, "resume": True, "randomness": {"seed": 77}}
    runner = Runner.from_cfg(again)
    losses: list[float] = []
    runner.register_hook(LossRecorder(losses))
    runner.train()
    assert losses == whole[5:]
    assert runner.seed == 1
    log = next(Path(runner.log_dir).glob("*.log")).read_text()
    assert "Resuming with seed 1 of the checkpoint, not 77." in log


@MODELS.register_module(force=True)
class TwoParts(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        self.head = nn.Linear(1, 1)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        out = self.head(self.body(inputs))
        return out if data_samples is None else (out - data_samples).abs().flatten()

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, Any]:
        data = self.data_preprocessor(data, True)
        loss = self(**data).square().mean()
        for wrapper in optim_wrapper.values():
            wrapper.zero_grad()
        loss.backward()
        for wrapper in optim_wrapper.values():
            wrapper.step()
        return {"loss": loss.detach()}

    def val_step(self, data: Any) -> list[dict[str, float]]:
        return [{"error": float(each)} for each in self(**self.data_preprocessor(data))]


@OPTIM_WRAPPER_CONSTRUCTORS.register_module(force=True)
class ByPart:
    def __init__(self, optim_wrapper_cfg: Any, paramwise_cfg: Any = None) -> None:
        self.cfg = optim_wrapper_cfg

    def __call__(self, model: Any) -> OptimWrapperDict:
        return OptimWrapperDict(
            **{
                name: OptimWrapper(torch.optim.SGD(getattr(model, name).parameters(), lr=lr))
                for name, lr in self.cfg["rates"].items()
            }
        )


def test_several_optimizers_with_schedules_by_name(job: dict[str, Any], tmp_path: Path) -> None:
    job["model"] = {"type": "TwoParts"}
    rates = {"body": 0.1, "head": 0.01}
    job["optim_wrapper"] = {"constructor": "ByPart", "rates": rates}
    job["param_scheduler"] = {
        "body": {"type": "StepLR", "step_size": 1, "gamma": 0.5, "by_epoch": True},
        "head": [{"type": "LinearLR", "start_factor": 0.5, "by_epoch": False, "end": 10}],
    }
    runner = Runner.from_cfg({**job, "work_dir": str(tmp_path / "whole")})
    runner.train()
    assert runner.optim_wrapper.get_lr() == {
        "body.lr": [pytest.approx(0.1 * 0.5**2)],  # the last epoch is its end
        "head.lr": [pytest.approx(0.01)],
    }
    losses_of(job, stop_at=8)
    resumed = Runner.from_cfg({**job, "resume": True})
    resumed.train()
    assert resumed.optim_wrapper.get_lr() == runner.optim_wrapper.get_lr()
    for ours, theirs in zip(resumed.model.parameters(), runner.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    job["param_scheduler"] = {"tail": job["param_scheduler"]["body"]}
    with pytest.raises(
        RunnerConfigError, match=r"\['tail'\]; the optimizers are \['body', 'head'\]"
    ):
        Runner.from_cfg({**job, "work_dir": str(tmp_path / "bad")}).train()


def test_validation_in_mixed_precision(job: dict[str, Any]) -> None:
    seen: list[torch.dtype] = []

    class Seer(Hook):
        def after_val_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
            seen.append(torch.get_autocast_dtype("cpu"))

    def forward(module: Any, args: Any, output: torch.Tensor) -> None:
        seen.append(output.dtype)

    runner = Runner.from_cfg({**job, "val_cfg": {"fp16": True}})
    runner.model.net[0].register_forward_hook(forward)
    runner.val()
    assert set(seen) == {torch.bfloat16}  # autocast of the CPU


def test_a_batch_sampler_in_the_config(job: dict[str, Any], tmp_path: Path) -> None:
    @DATA_SAMPLERS.register_module(name="PairedBatches", force=True)
    class PairedBatches(BatchSampler):
        def __init__(self, sampler: Any, batch_size: int) -> None:
            super().__init__(sampler, batch_size, drop_last=True)

    loader = {**job["train_dataloader"], "batch_sampler": {"type": "PairedBatches"}}
    job["train_dataloader"] = {**loader, "batch_size": 6}
    job["default_hooks"]["checkpoint"] = {
        "type": "CheckpointHook",
        "by_epoch": False,
        "interval": 2,
    }
    whole = losses_of({**job, "work_dir": str(tmp_path / "whole")})
    assert len(whole) == 9  # three batches of six of the twenty samples an epoch
    losses_of(job, stop_at=5)
    assert losses_of({**job, "resume": True}) == whole[4:]


def test_a_run_is_that_of_the_record() -> None:
    """Sample order and counters exactly, losses nearly: a refactoring must not change them."""
    record = json.loads((Path(__file__).parent / "data" / "reference_run.json").read_text())
    for by_epoch, wanted in (("by_epoch", record["by_epoch"]), ("by_iter", record["by_iter"])):
        found = workers.reference_run(by_epoch == "by_epoch")
        assert found["samples"] == wanted["samples"]
        assert found["counters"] == wanted["counters"]
        assert found["losses"] == pytest.approx(wanted["losses"], abs=1e-6)


@pytest.mark.parametrize(
    ("key", "close"),
    [
        ("train_dataloder", "train_dataloader"),
        ("launch", "launcher"),
        ("test_dataloaders", "test_dataloader"),
        ("work_dirs", "work_dir"),
        ("optim_wraper", "optim_wrapper"),
    ],
)
def test_a_key_that_looks_like_an_argument_is_warned_of(
    job: dict[str, Any], key: str, close: str
) -> None:
    with pytest.warns(UserWarning, match=f"the config has '{key}'.*did you mean '{close}'") as seen:
        Runner.from_cfg({**job, key: 3})
    assert sum(key in str(each.message) for each in seen) == 1


def test_variables_and_names_of_hooks_of_ones_own_are_not_warned_of(
    job: dict[str, Any], recwarn: pytest.WarningsRecorder
) -> None:
    job["default_hooks"]["visualization"] = {"type": "NaiveVisualizationHook"}
    Runner.from_cfg({**job, "dataset_type": "Line", "img_scale": 3, "max_epochs": 3})
    assert not [each for each in recwarn if "did you mean" in str(each.message)]
    job["default_hooks"]["loger"] = {"type": "LoggerHook"}
    with pytest.warns(UserWarning, match="default_hooks has 'loger'.*did you mean 'logger'"):
        Runner.from_cfg(job)


def validated_at(job: dict[str, Any], **train_cfg: Any) -> list[int]:
    """Epochs or iterations that were done at each validation."""
    found: list[int] = []

    class Seer(Hook):
        def before_val(self, runner: Any) -> None:
            found.append(runner.epoch if train_cfg["by_epoch"] else runner.iter)

    runner = Runner.from_cfg({**job, "train_cfg": train_cfg})
    runner.register_hook(Seer())
    runner.train()
    return found


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"max_epochs": 5, "val_interval": 2}, [2, 4, 5]),
        ({"max_epochs": 4, "val_interval": 2}, [2, 4]),
        ({"max_epochs": 3, "val_interval": 10}, [3]),
        ({"max_epochs": 4, "val_interval": 1, "val_begin": 3}, [3, 4]),
        ({"max_epochs": 3, "val_interval": 1, "val_begin": 4}, []),
        ({"max_epochs": 7, "val_interval": 10, "dynamic_intervals": [(5, 1)]}, [4, 5, 6, 7]),
    ],
)
def test_epochs_that_are_validated(
    job: dict[str, Any], settings: dict[str, Any], expected: list[int]
) -> None:
    assert validated_at(job, by_epoch=True, **settings) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"max_iters": 7, "val_interval": 3}, [3, 6, 7]),
        ({"max_iters": 6, "val_interval": 3}, [3, 6]),
        ({"max_iters": 9, "val_interval": 10, "dynamic_intervals": [(6, 2)]}, [6, 8, 9]),
    ],
)
def test_iterations_that_are_validated(
    job: dict[str, Any], settings: dict[str, Any], expected: list[int]
) -> None:
    assert validated_at(job, by_epoch=False, **settings) == expected


def test_after_training_by_iterations_no_epoch_is_done(job: dict[str, Any]) -> None:
    job["train_cfg"] = {"by_epoch": False, "max_iters": 6, "val_interval": 100}
    runner = Runner.from_cfg(job)
    runner.train()
    assert (runner.epoch, runner.iter) == (0, 6)


def test_counts_are_known_before_the_loop_is_built(job: dict[str, Any]) -> None:
    job["train_cfg"] = {"by_epoch": True, "max_epochs": 3.0, "val_interval": np.int64(2)}
    runner = Runner.from_cfg(job)
    assert (runner.max_epochs, runner.val_interval) == (3, 2)
    assert type(runner.max_epochs) is type(runner.val_interval) is int
    assert runner.max_iters is None


@pytest.mark.parametrize("ema", [[], [{"type": "EMAHook", "momentum": 0.1}]])
@pytest.mark.parametrize("by", ["path", "load_or_resume"])
def test_a_run_is_resumed_before_it_trains(
    job: dict[str, Any], tmp_path: Path, ema: list[Any], by: str
) -> None:
    job["custom_hooks"] = ema
    whole = losses_of({**job, "work_dir": str(tmp_path / "whole")})
    losses_of(job, stop_at=12)
    runner = Runner.from_cfg({**job, "resume": by == "load_or_resume"})
    losses: list[float] = []
    runner.register_hook(LossRecorder(losses))
    if by == "path":
        runner.resume(str(Path(job["work_dir"]) / "epoch_2.pth"))
    else:
        runner.load_or_resume()
    assert (runner.epoch, runner.iter) == (2, 10)
    runner.train()
    assert losses == whole[10:]


def test_the_last_of_several_resumes_counts(job: dict[str, Any], tmp_path: Path) -> None:
    job["default_hooks"]["checkpoint"] = {
        "type": "CheckpointHook",
        "by_epoch": False,
        "interval": 1,
    }
    whole = losses_of({**job, "work_dir": str(tmp_path / "whole")})
    losses_of(job, stop_at=8)
    for last in (5, 7, 2):
        runner, losses = Runner.from_cfg({**job, "work_dir": str(tmp_path / str(last))}), []
        runner.register_hook(LossRecorder(losses))
        for iteration in (7, last):
            runner.resume(str(Path(job["work_dir"]) / f"iter_{iteration}.pth"))
        runner.train()
        assert losses == whole[last:]


def test_weights_loaded_before_training_are_not_initialised_again(job: dict[str, Any]) -> None:
    losses_of(job)
    path = str(Path(job["work_dir"]) / "epoch_3.pth")
    wanted = torch.load(path, weights_only=True)["state_dict"]
    runner = Runner.from_cfg(job)
    runner.load_checkpoint(path)
    job["optim_wrapper"]["optimizer"]["lr"] = 0.0
    frozen = Runner.from_cfg(job)
    frozen.load_checkpoint(path)
    frozen.train()
    assert all(torch.equal(frozen.model.state_dict()[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize("by_epoch", [True, False])
def test_data_without_one_batch_is_refused_at_the_start(
    job: dict[str, Any], by_epoch: bool
) -> None:
    end = {"max_epochs": 2} if by_epoch else {"max_iters": 2}
    job["train_cfg"] = {"by_epoch": by_epoch, **end}
    job["train_dataloader"].update(batch_size=21, drop_last=True)
    with pytest.raises(RunnerConfigError, match=r"has no batch: 20 samples .* batches of 21"):
        Runner.from_cfg(job).train()


def test_synchronised_norms_are_reverted_in_a_single_process(job: dict[str, Any]) -> None:
    class Normed(BaseModel):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.SyncBatchNorm(3)
            self.scripted = torch.jit.script(nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)))
            for parameter in self.norm.parameters():
                parameter.requires_grad = False
            self.norm.eval()

        def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
            return self.scripted(self.norm(inputs))

    model = Normed()
    weight = model.norm.weight
    runner = Runner(model, job["work_dir"])
    assert not isinstance(runner.model.norm, nn.SyncBatchNorm)
    assert runner.model.norm.weight is weight
    assert not weight.requires_grad
    assert not runner.model.norm.training
    assert runner.model(torch.ones(2, 3)).shape == (2, 3)


@pytest.mark.parametrize(("sync_bn", "kind"), [("torch", "SyncBatchNorm"), (None, "BatchNorm1d")])
def test_norms_are_synchronised_in_several_processes(
    tmp_path: Path, sync_bn: str | None, kind: str
) -> None:
    found = run_in_processes(workers.norms_of_a_run, 2, str(tmp_path), sync_bn)
    assert found == [[(kind, True, True), (kind, False, False)]] * 2


def test_weights_of_a_model_are_those_of_its_test_time_augmentation(
    job: dict[str, Any], tmp_path: Path
) -> None:
    class Augmented(BaseTTAModel):
        def merge_preds(self, data_samples_list: Any) -> Any:
            return data_samples_list

    Runner.from_cfg(job).train()
    path = Path(job["work_dir"]) / "epoch_3.pth"
    wanted = torch.load(path, weights_only=True)["state_dict"]
    model = Augmented(module=MODELS.build({"type": "LineModel"}))
    hooks: Any = [{"type": "EMAHook"}]
    runner = Runner(model, str(tmp_path / "tta"), custom_hooks=hooks, load_from=str(path))
    runner.call_hook("before_run")
    runner.load_or_resume()
    (ema,) = (hook for hook in runner.hooks if isinstance(hook, EMAHook))
    for loaded in (model.module, ema.ema_model.module.module):
        assert all(torch.equal(loaded.state_dict()[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize(
    "value", [0.5, np.float32(0.5), np.array(0.5), np.array([0.5]), torch.tensor([0.5])]
)
def test_whatever_holds_one_number_is_a_scalar_everywhere(job: dict[str, Any], value: Any) -> None:
    class Evaluator:
        metrics: tuple[Any, ...] = ()
        dataset_meta: Any = None

        def process(self, **batch: Any) -> None: ...

        def evaluate(self, size: int) -> dict[str, Any]:
            return {"acc": value}

    job["default_hooks"]["checkpoint"] = {
        "type": "CheckpointHook",
        "interval": 1,
        "save_best": "acc",
    }
    job["train_cfg"]["max_epochs"] = 1
    runner = Runner.from_cfg(job)
    runner.val_loop.evaluator = Evaluator()
    runner.train()
    assert runner.message_hub.get_info("best_score") == 0.5
    assert float(runner.message_hub.get_scalar("val/acc").current()) == 0.5
    assert [record["acc"] for record in scalars_of(runner) if "acc" in record] == [0.5]
    assert "acc: 0.5000" in next(Path(runner.log_dir).glob("*.log")).read_text()


def test_a_logger_may_have_a_name_of_its_own(job: dict[str, Any]) -> None:
    runner = Runner.from_cfg(job)
    name = f"own-{runner.timestamp}"
    logger = runner.build_logger(name=name)
    assert logger is not runner.logger
    assert logger is type(logger).get_instance(name)


@pytest.mark.parametrize(
    ("build", "kinds"),
    [
        (lambda runner: runner.build_train_loop("x"), (TypeError,)),
        (lambda runner: runner.build_val_loop(3), (TypeError,)),
        (lambda runner: runner.build_model(3), (TypeError,)),
        (lambda runner: runner.build_optim_wrapper("x"), (TypeError,)),
        (lambda runner: runner.register_hook(3), (TypeError,)),
        (lambda runner: runner.train(), (RuntimeError, AttributeError)),
        (lambda runner: runner.val(), (RuntimeError,)),
        (lambda runner: runner.test(), (RuntimeError,)),
        (lambda runner: LogProcessor(custom_cfg=[{"data_src": "x"}]), (AssertionError,)),
        (
            lambda runner: runner.scale_lr(None, {"enable": True}),
            (RuntimeError,),
        ),
    ],
)
def test_errors_are_of_the_kinds_that_people_catch(
    job: dict[str, Any], build: Any, kinds: tuple[type[Exception], ...]
) -> None:
    runner = Runner(job["model"], job["work_dir"])
    for kind in (*kinds, RunnerConfigError):
        with pytest.raises(kind):
            build(runner)


def test_the_config_of_the_user_is_never_overwritten(job: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "job.py"
    text = "# by hand\nwork_dir = '.'\n"
    path.write_text(text)
    cfg = Config({**job, "work_dir": str(tmp_path)}, filename=str(path))
    runner = Runner.from_cfg(cfg)
    assert path.read_text() == text
    assert "LineModel" in (Path(runner.log_dir) / "vis_data" / "config.py").read_text()


def test_an_evaluation_saves_nothing_and_resumes_the_newest_weights(job: dict[str, Any]) -> None:
    job["default_hooks"]["checkpoint"] = {
        "type": "CheckpointHook",
        "interval": 1,
        "save_best": "auto",
    }
    runner = Runner.from_cfg(job)
    metrics = runner.val()
    assert set(metrics) == {"line/loss"}
    assert not list(Path(job["work_dir"]).glob("*.pth"))
    runner.train()
    before = {path: path.stat().st_mtime_ns for path in Path(job["work_dir"]).glob("*")}
    trained = runner.val()
    assert {path: path.stat().st_mtime_ns for path in Path(job["work_dir"]).glob("*")} == before
    names = ("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler")
    alone = {name: value for name, value in job.items() if name not in names}
    assert Runner.from_cfg({**alone, "resume": True}).val() == trained


class Oddity(Hook):
    def after_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        warnings.warn("something is odd", UserWarning, stacklevel=1)


@pytest.mark.filterwarnings("always")
def test_warnings_of_a_run_are_in_its_log_once(job: dict[str, Any]) -> None:
    runner = Runner.from_cfg(job)
    runner.register_hook(Oddity())
    shown = warnings.showwarning
    with pytest.warns(UserWarning, match="something is odd"):  # collected as well
        runner.train()
    assert warnings.showwarning is shown
    log = next(Path(runner.log_dir).glob("*.log")).read_text()
    assert log.count("WARNING - UserWarning: something is odd") == 1
    assert f"{Path(__file__).name}:" in log


#: Names that helpers of subclasses have, and those of the engine do not.
NAMES_OF_HELPERS = (
    "_advance", "_begin", "_collect", "_compute", "_fetch", "_move", "_open", "_order", "_parse",
    "_record", "_run_iters", "_set_device", "_train_step", "_validate",
)  # fmt: skip


@pytest.mark.parametrize("by_epoch", [True, False])
def test_helpers_of_subclasses_may_have_any_name(
    job: dict[str, Any], tmp_path: Path, by_epoch: bool
) -> None:
    length = {"max_epochs": 3} if by_epoch else {"max_iters": 15, "val_interval": 5}
    job["train_cfg"] = {"by_epoch": by_epoch, **length}
    whole = losses_of({**job, "work_dir": str(tmp_path / "whole")})

    def derive(registry: Registry, name: str) -> dict[str, Any]:
        base: Any = registry.get(name)
        own = type(f"Own{name}", (base,), dict.fromkeys(NAMES_OF_HELPERS))
        registry.register_module(module=own, force=True)
        return {"type": f"Own{name}"}

    loop = "EpochBasedTrainLoop" if by_epoch else "IterBasedTrainLoop"
    job["train_cfg"] = {**derive(LOOPS, loop), **length}
    job["val_cfg"] = derive(LOOPS, "ValLoop")
    job["train_dataloader"]["sampler"] |= derive(DATA_SAMPLERS, "DefaultSampler")
    job["model"] = derive(MODELS, "LineModel")
    job["val_evaluator"] = derive(METRICS, "MeanError")
    job["param_scheduler"] |= derive(PARAM_SCHEDULERS, "LinearLR")
    job["optim_wrapper"] |= derive(OPTIM_WRAPPERS, "OptimWrapper")
    job["log_processor"] = derive(LOG_PROCESSORS, "LogProcessor")
    job["visualizer"] = derive(VISUALIZERS, "Visualizer")
    assert losses_of(job) == whole
