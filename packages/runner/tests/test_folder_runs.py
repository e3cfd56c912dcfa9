"""Runs in one process whose checkpoints are folders: kept, published, resumed as files are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from eng.checkpoint import CheckpointLoader
from eng.fileio import LocalBackend
from eng.hooks import Hook
from eng.runner import Runner


def train(job: dict[str, Any], name: str, *hooks: Hook, **settings: Any) -> Runner:
    checkpoint = {"type": "CheckpointHook", "interval": 1, "format": "folder", **settings}
    hooks_cfg = {**job["default_hooks"], "checkpoint": checkpoint}
    work_dir = str(Path(job["work_dir"]) / name)
    runner = Runner.from_cfg({**job, "work_dir": work_dir, "default_hooks": hooks_cfg})
    for hook in hooks:
        runner.register_hook(hook)
    runner.train()
    return runner


def list_checkpoints(runner: Runner) -> list[str]:
    names = (path.name for path in Path(runner.work_dir).iterdir())
    return sorted(name for name in names if "epoch" in name or "iter" in name)


def same(first: Any, second: Any) -> bool:
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second or (first != first and second != second)


def load(runner: Runner, name: str) -> dict[str, Any]:
    path = str(Path(runner.work_dir) / name)
    checkpoint: dict[str, Any] = CheckpointLoader.load_checkpoint(path, "cpu", "silent")
    return checkpoint


PARTS = ("state_dict", "optimizer", "param_schedulers")


@pytest.mark.parametrize("async_save", [False, True])
def test_folders_are_kept_as_files_are_and_have_the_same_states(
    job: dict[str, Any], async_save: bool
) -> None:
    job["train_cfg"]["max_epochs"] = 4
    job["optim_wrapper"]["optimizer"]["lr"] = 0.01  # at which this model does not diverge
    settings = {"max_keep_ckpts": 1, "save_best": "line/loss", "keep_every": 2}
    files = train(job, "files", **settings, format="file")
    folders = train(job, "folders", **settings, async_save=async_save)
    names = list_checkpoints(files)
    assert list_checkpoints(folders) == [name.removesuffix(".pth") for name in names]
    assert (Path(folders.work_dir) / "last_checkpoint").read_text() == "epoch_4"
    for name in names:
        states = load(files, name), load(folders, name.removesuffix(".pth"))
        for part in PARTS:
            assert same(states[0][part], states[1][part])
        assert same(states[0]["train_state"]["random"], states[1]["train_state"]["random"])
    best = folders.message_hub.get_info("best_ckpt")
    assert Path(best).is_dir()


def test_a_run_with_an_average_is_resumed_to_the_bit(job: dict[str, Any]) -> None:
    job.update(custom_hooks=[{"type": "EMAHook"}])
    whole = train(job, "whole")
    job["train_cfg"]["max_epochs"] = 2
    train(job, "parts", async_save=True)
    job["train_cfg"]["max_epochs"] = 3
    resumed = train({**job, "resume": True}, "parts")
    states = load(whole, "epoch_3"), load(resumed, "epoch_3")
    for part in (*PARTS, "ema_state_dict"):
        assert same(states[0][part], states[1][part])


def test_a_run_goes_on_in_the_other_format(job: dict[str, Any]) -> None:
    whole = train(job, "whole", format="file")
    for epochs, form in ((1, "file"), (2, "folder"), (3, "file")):
        job["train_cfg"]["max_epochs"] = epochs
        runner = train({**job, "resume": True}, "parts", format=form, max_keep_ckpts=1)
        assert list_checkpoints(runner) == [f"epoch_{epochs}{'.pth' * (form == 'file')}"]
    states = load(whole, "epoch_3.pth"), load(runner, "epoch_3.pth")
    for part in PARTS:
        assert same(states[0][part], states[1][part])


def test_weights_are_published(job: dict[str, Any]) -> None:
    runner = train(job, "work", published_keys=["meta", "state_dict"], max_keep_ckpts=1)
    (published,) = Path(runner.work_dir).glob("epoch_3-*.pth")
    found = torch.load(published, weights_only=True)
    assert set(found) == {"meta", "state_dict"}
    assert same(found["state_dict"], load(runner, "epoch_3")["state_dict"])


def test_frozen_weights_are_left_out(job: dict[str, Any]) -> None:
    class Freezing(Hook):
        priority = "VERY_HIGH"

        def before_train(self, runner: Any) -> None:
            runner.model.net[0].requires_grad_(False)

    job.update(custom_hooks=[{"type": "TrainedOnlyHook"}])
    runner = train(job, "work", Freezing())
    assert set(load(runner, "epoch_3")["state_dict"]) == {"net.2.weight", "net.2.bias"}
    resumed = Runner.from_cfg({**job, "work_dir": str(Path(job["work_dir"]) / "other")})
    resumed.load_checkpoint(str(Path(runner.work_dir) / "epoch_3"))
    assert same(
        nn.Module.state_dict(resumed.model.net[2]), nn.Module.state_dict(runner.model.net[2])
    )


def test_one_failure_in_the_background_is_passed_over(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put = LocalBackend.put_with

    def full(backend: LocalBackend, write: Any, path: Any) -> None:
        if "epoch_2" in str(path):
            raise OSError(28, "No space left on device", str(path))
        put(backend, write, path)

    monkeypatch.setattr(LocalBackend, "put_with", full)
    runner = train(job, "work", async_save=True, max_keep_ckpts=1)
    assert list_checkpoints(runner) == ["epoch_3"]
    log = next(Path(runner.work_dir).glob("*/*.log")).read_text()
    assert log.count("epoch_2 could not be saved: [Errno 28]") == 1


def test_what_killed_runs_left_is_removed_after_the_next_save(job: dict[str, Any]) -> None:
    folder = Path(job["work_dir"]) / "work"
    for name in ("epoch_1.part-01234567", "iter_9.part-89abcdef", "epoch_2.part-fedcba98"):
        (folder / name / "state").mkdir(parents=True)
    (folder / "epoch_7").mkdir()  # of a user
    job["train_cfg"]["max_epochs"] = 1
    runner = train({**job, "resume": True}, "work")
    assert list_checkpoints(runner) == ["epoch_1", "epoch_7"]
    log = next(folder.glob("*/*.log")).read_text()
    assert "epoch_1.part-01234567 is incomplete" in log
    assert "Removed incomplete checkpoints: epoch_1.part-01234567" in log


def test_unknown_formats_are_refused(job: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="format must be one of 'auto', 'file', 'folder'"):
        train(job, "work", format="dcp")


@pytest.mark.parametrize("form", ["file", "folder"])
def test_weights_are_exported_after_training(job: dict[str, Any], form: str) -> None:
    pytest.importorskip("safetensors")
    runner = train(job, "work", export="safetensors", format=form, save_best="line/loss")
    names = [Path(runner.message_hub.get_info(key)).name for key in ("last_ckpt", "best_ckpt")]
    for name in names:
        weights = load(runner, f"{name.removesuffix('.pth')}.safetensors")
        assert same(dict(load(runner, name)["state_dict"]), weights)


def test_unknown_formats_of_exports_are_refused(job: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="export must be one of 'safetensors', 'pth'"):
        train(job, "work", export="onnx")
