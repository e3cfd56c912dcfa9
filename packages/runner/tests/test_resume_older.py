"""Runs that MMEngine saved are resumed as far as its files go."""

from __future__ import annotations

import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from older_checkpoints import of_mmengine, save

from eng.checkpoint import CheckpointError
from eng.hooks import EMAHook
from eng.registry import MODELS
from eng.runner import Runner


class OlderBuffer:
    """Has the fields and the name of the original's class when it is pickled."""

    __module__ = "mmengine.logging.history_buffer"
    __qualname__ = "HistoryBuffer"

    def __init__(self, values: Any, counts: Any) -> None:
        self._max_length = 1000000
        self._log_history = np.array(values, dtype=np.float64)
        self._count_history = np.array(counts, dtype=np.int64)
        self._statistics_methods = {"mean": OlderBuffer.mean}

    def mean(self) -> None: ...


OlderBuffer.mean.__qualname__ = "HistoryBuffer.mean"
OlderBuffer.mean.__module__ = OlderBuffer.__module__


def as_saved_by_the_original(path: Path, runner: Runner) -> None:
    """Turn a checkpoint into one that the original would have saved."""
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["train_state"]
    checkpoint["optimizer"].pop("type")
    meta = checkpoint["meta"]
    checkpoint["meta"] = {key: meta[key] for key in ("epoch", "iter", "seed", "experiment_name")}
    checkpoint["meta"].update(
        cfg=meta["cfg"], mmengine_version="0.10.7", dataset_meta={"colors": np.array([1, 2])}
    )
    for state in checkpoint["param_schedulers"]:
        for key in ("by_optimizer_step", "_optimizer_steps"):
            state.pop(key, None)
    scalars = OrderedDict(
        (key, OlderBuffer(*history.data)) for key, history in runner.message_hub.log_scalars.items()
    )
    scalars["train/base_lr"] = OlderBuffer([9.0], [1])
    info = OrderedDict(loop_stage="train", epoch=1, iter=9, max_epochs=3, max_iters=15)
    keys = OrderedDict((key, True) for key in [*scalars, *info])
    checkpoint["message_hub"] = {
        "log_scalars": scalars,
        "runtime_info": info,
        "resumed_keys": keys,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name in ("mmengine", "mmengine.logging", "mmengine.logging.history_buffer"):
            patch.setitem(sys.modules, name, ModuleType(name))
        module: Any = sys.modules["mmengine.logging.history_buffer"]
        module.HistoryBuffer = OlderBuffer
        torch.save(checkpoint, path)


@pytest.mark.parametrize("given", ["load_from", "work_dir"])
def test_a_run_of_the_original_is_resumed(
    job: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    job["train_cfg"]["max_epochs"] = 2
    job["param_scheduler"] = [
        {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "end": 8},
        {"type": "CosineAnnealingLR", "T_max": 4, "eta_min_ratio": 0.1, "end": 5},
    ]
    first = Runner.from_cfg(job)
    first.train()
    path = Path(first.work_dir) / "epoch_2.pth"
    rate = first.optim_wrapper.get_lr()
    as_saved_by_the_original(path, first)
    capsys.readouterr()
    more = {"load_from": str(path), "work_dir": str(tmp_path / "b")} if given == "load_from" else {}
    job["train_cfg"]["max_epochs"] = 4
    runner = Runner.from_cfg({**job, **more, "resume": True})
    rates = []
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.load_or_resume()
    assert (runner.epoch, runner.iter) == (2, 10)
    assert runner.optim_wrapper.get_lr() == rate
    momentum = runner.optim_wrapper.state_dict()["state"][0]["momentum_buffer"]
    assert torch.equal(momentum, first.optim_wrapper.state_dict()["state"][0]["momentum_buffer"])
    assert len(runner.message_hub.get_scalar("train/loss")) == 10
    runner.train()
    rates.append(runner.optim_wrapper.get_lr()["lr"][0])
    assert runner.epoch == 4
    assert rates == pytest.approx([0.05 * 0.1])
    out = capsys.readouterr().out
    assert out.count("was not saved by this engine but by MMEngine 0.10.7") == 1
    assert "base_lr" not in out.split("Resumed from")[1]


def job_of_the_original(job: dict[str, Any]) -> dict[str, Any]:
    job["train_cfg"]["max_epochs"] = 4
    job["param_scheduler"] = [
        {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "end": 8},
        {"type": "MultiStepLR", "milestones": [3], "end": 4},
    ]
    return job


def checkpoint_of_the_original(job: dict[str, Any], **settings: Any) -> dict[str, Any]:
    weights = {
        name: torch.full_like(p, 0.5) for name, p in MODELS.build(job["model"]).named_parameters()
    }
    return of_mmengine(weights, epoch=2, iteration=10, **settings)


def resume(job: dict[str, Any], path: str) -> Runner:
    """Prepare a run that is resumed from a file, up to its first iteration."""
    runner = Runner.from_cfg({**job, "load_from": path, "resume": True})
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.load_or_resume()
    return runner


@pytest.mark.parametrize("version", ["0.10.7", "0.2.0"])
def test_all_parts_of_a_file_of_either_generation_are_taken_over(
    job: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str
) -> None:
    job = job_of_the_original(job)
    path = save(checkpoint_of_the_original(job, version=version), tmp_path / "epoch_2.pth")
    runner = resume(job, path)
    assert (runner.epoch, runner.iter, runner.seed) == (2, 10, 1)
    assert all(bool((p == 0.5).all()) for p in runner.model.parameters())
    state = runner.optim_wrapper.state_dict()
    assert all(bool((s["momentum_buffer"] == 0.125).all()) for s in state["state"].values())
    hub = runner.message_hub
    assert hub.get_scalar("train/loss").data[0].tolist() == [4.0 - 0.25 * i for i in range(10)]
    assert hub.get_scalar("val/line/loss").current() == 1.25
    assert (hub.get_info("best_score"), hub.get_info("keep_ckpt_ids")) == (1.25, [1, 2])
    lines = capsys.readouterr().out
    assert lines.count("was not saved by this engine") == 1
    assert ("by MMEngine 0.10.7" in lines) is (version == "0.10.7")
    runner.train()
    assert (runner.epoch, runner.iter) == (4, 20)
    # The milestone at epoch 3 came after the file was saved.
    assert runner.optim_wrapper.get_lr()["lr"] == pytest.approx([0.005])
    # What is saved from here on is this engine's own, and resumed without a word about it.
    capsys.readouterr()
    again = Runner.from_cfg(
        {**job, "resume": True, "train_cfg": {"by_epoch": True, "max_epochs": 5}}
    )
    again.train()
    assert again.iter == 25
    assert "was not saved by this engine" not in capsys.readouterr().out


def test_several_groups_have_the_settings_that_they_start_from(
    job: dict[str, Any], tmp_path: Path
) -> None:
    job = job_of_the_original(job)
    job["optim_wrapper"]["paramwise_cfg"] = {"bias_lr_mult": 2.0}
    checkpoint = checkpoint_of_the_original(job)
    (group,) = checkpoint["optimizer"]["param_groups"]
    rates = [0.05, 0.1, 0.05, 0.1]
    checkpoint["optimizer"]["param_groups"] = [
        {**group, "params": [n], "lr": rate, "initial_lr": rate} for n, rate in enumerate(rates)
    ]
    base = {key: value for key, value in group.items() if key != "params"}
    checkpoint["optimizer"]["base_param_settings"] = {"params": torch.tensor([0.0]), **base}
    for scheduler in checkpoint["param_schedulers"]:
        scheduler.update(base_values=[*rates, 0.05], _last_value=[*rates, 0.05])
    runner = resume(job, save(checkpoint, tmp_path / "epoch_2.pth"))
    assert runner.optim_wrapper.get_lr() == {"base_lr": [0.05], "lr": rates}
    runner.train()
    found = runner.optim_wrapper.get_lr()
    assert found["base_lr"] == pytest.approx([0.005])
    assert found["lr"] == pytest.approx([rate / 10 for rate in rates])


def test_averaged_weights_of_the_original_are_taken_over(
    job: dict[str, Any], tmp_path: Path
) -> None:
    job = job_of_the_original(job)
    job["custom_hooks"] = [{"type": "EMAHook"}]
    checkpoint = checkpoint_of_the_original(job)
    # A checkpoint has the average as its model, and the weights of training beside it.
    weights = checkpoint["state_dict"]
    average = OrderedDict((f"module.{name}", w + 0.25) for name, w in weights.items())
    checkpoint["ema_state_dict"] = OrderedDict(steps=torch.tensor(10), **average)
    runner = resume(job, save(checkpoint, tmp_path / "epoch_2.pth"))
    (hook,) = [hook for hook in runner.hooks if isinstance(hook, EMAHook)]
    assert all(bool((p == 0.75).all()) for p in runner.model.parameters())
    assert all(bool((p == 0.5).all()) for p in hook.ema_model.module.parameters())
    assert int(hook.ema_model.steps) == 10


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ("optimizer", "no optimizer"),
        ("message_hub", "no message_hub"),
        ("param_schedulers", "fast-forwarded to the progress of the run"),
        ("state_dict", "weights"),
    ],
)
def test_a_part_that_is_missing_is_reported_in_one_line(
    job: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], part: str, line: str
) -> None:
    job = job_of_the_original(job)
    checkpoint = checkpoint_of_the_original(job)
    del checkpoint[part]
    path = save(checkpoint, tmp_path / "epoch_2.pth")
    if part == "state_dict":
        with pytest.raises(CheckpointError, match="no key of the state_dict matches LineModel"):
            resume(job, path)
        return
    runner = resume(job, path)
    assert line in capsys.readouterr().out
    runner.train()
    assert runner.iter == 20


@pytest.mark.parametrize("key", ["epoch", "iter", "meta"])
def test_of_a_file_that_does_not_say_how_far_it_had_come_the_weights_are_taken(
    job: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    checkpoint = checkpoint_of_the_original(job)
    if key == "meta":
        del checkpoint["meta"]
    else:
        del checkpoint["meta"][key]
    path = save(checkpoint, tmp_path / "epoch_2.pth")
    runner = resume(job, path)
    assert "has no epoch and iter to resume from: its weights are loaded" in capsys.readouterr().out
    assert (runner.epoch, runner.iter) == (0, 0)
    with pytest.raises(CheckpointError, match="no 'meta' with epoch and iter"):
        runner.resume(path)


def test_the_file_of_a_library_before_the_engine_is_resumed_as_far_as_it_goes(
    job: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = checkpoint_of_the_original(job_of_the_original(job))
    checkpoint = {
        "meta": {
            "mmcv_version": "1.7.0",
            "time": "Wed Jan 31 10:15:07 2024",
            "CLASSES": ("a", "b"),
            "epoch": 2,
            "iter": 10,
            "hook_msgs": {"last_ckpt": "/runs/line/epoch_1.pth"},
        },
        "state_dict": whole["state_dict"],
        "optimizer": whole["optimizer"],
    }
    runner = resume(job, save(checkpoint, tmp_path / "epoch_2.pth"))
    assert (runner.epoch, runner.iter) == (2, 10)
    assert "no message_hub" in capsys.readouterr().out
    runner.train()
    assert runner.optim_wrapper.get_lr()["lr"] == pytest.approx([0.005])


class Unknown:
    """A class of somebody's own in a file."""


@pytest.mark.parametrize(
    "place", ["message_hub.runtime_info.x", "meta.dataset_meta.x", "optimizer.x", "x"]
)
def test_a_class_that_nobody_knows_is_refused_wherever_it_is(
    job: dict[str, Any], tmp_path: Path, place: str
) -> None:
    checkpoint: dict[str, Any] = checkpoint_of_the_original(job)
    *parents, last = place.split(".")
    at = checkpoint
    for parent in parents:
        at = at[parent]
    at[last] = Unknown()
    with pytest.raises(CheckpointError, match="objects other than tensors and plain data"):
        resume(job, save(checkpoint, tmp_path / "epoch_2.pth"))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("optimizer", {"state": {}, "param_groups": [{}]}),
        ("optimizer", {"state": {}, "param_groups": None}),
        ("param_schedulers", "a text"),
        ("param_schedulers", [None, None]),
        ("seed", "1"),
    ],
)
def test_a_part_of_another_form_is_named(
    job: dict[str, Any], tmp_path: Path, part: str, value: Any
) -> None:
    checkpoint = checkpoint_of_the_original(job_of_the_original(job))
    (checkpoint["meta"] if part == "seed" else checkpoint)[part] = value
    with pytest.raises(CheckpointError, match=part):
        resume(job, save(checkpoint, tmp_path / "epoch_2.pth"))


def test_the_version_of_a_file_of_a_run_with_strategies_is_named(
    job: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = checkpoint_of_the_original(job_of_the_original(job))
    checkpoint["meta"]["mmengine"] = checkpoint["meta"].pop("mmengine_version") + "+1a2b3c4"
    assert resume(job, save(checkpoint, tmp_path / "epoch_2.pth")).iter == 10
    assert "by MMEngine 0.10.7+1a2b3c4" in capsys.readouterr().out


@pytest.mark.parametrize(
    "hub",
    [
        [],
        "a text",
        {"log_scalars": {}},
        {"log_scalars": {"train/loss": 3.0}, "runtime_info": {}, "resumed_keys": {}},
        {"log_scalars": [], "runtime_info": {}, "resumed_keys": {}},
        {"log_scalars": {}, "runtime_info": None, "resumed_keys": {}},
    ],
)
def test_a_message_hub_of_another_form_is_named(
    job: dict[str, Any], tmp_path: Path, hub: Any
) -> None:
    checkpoint = checkpoint_of_the_original(job_of_the_original(job))
    checkpoint["message_hub"] = hub
    with pytest.raises(CheckpointError, match="message_hub"):
        resume(job, save(checkpoint, tmp_path / "epoch_2.pth"))
