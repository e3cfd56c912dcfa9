"""Options of ``eng train`` beside those of the config, and ``--dry-run``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_commands import JOB

from eng.cli import main
from eng.config import Config
from eng.runner.train_options import add_train_options, apply_train_options
from eng.utils import UserError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (tmp_path / "job.py").write_text(JOB.replace("from pathlib import Path\n", ""))
    return tmp_path


def change(cfg: dict[str, Any], *options: str) -> Config:
    parser = argparse.ArgumentParser()
    add_train_options(parser)
    parser.set_defaults(launcher=None)
    changed = Config(cfg)
    apply_train_options(parser.parse_args(options), changed)
    return changed


SGD = {"optimizer": {"type": "SGD", "lr": 0.1}}


def test_mixed_precision_is_chosen_for_every_optimizer() -> None:
    cfg = change({"optim_wrapper": SGD}, "--amp")
    assert cfg.optim_wrapper == {**SGD, "type": "AmpOptimWrapper", "loss_scale": "dynamic"}
    own = {"type": "AmpOptimWrapper", "dtype": "bfloat16", **SGD}
    assert change({"optim_wrapper": own}, "--amp").optim_wrapper == own
    several = {"constructor": "Mine", "a": SGD, "b": {"type": "eng.OptimWrapper", **SGD}}
    cfg = change({"optim_wrapper": several}, "--amp")
    assert [cfg.optim_wrapper[name].type for name in "ab"] == ["AmpOptimWrapper"] * 2
    for given, said in (({"type": "Mine"}, "optim_wrapper.type is Mine"), (None, "--amp needs")):
        with pytest.raises(UserError, match=said):
            change({"optim_wrapper": given}, "--amp")


def test_learning_rates_are_scaled_only_from_a_known_batch_size() -> None:
    cfg = change({"auto_scale_lr": {"base_batch_size": 16}}, "--auto-scale-lr")
    assert cfg.auto_scale_lr == {"base_batch_size": 16, "enable": True}
    with pytest.raises(UserError, match="base_batch_size"):
        change({}, "--auto-scale-lr")


def test_curves_compilation_and_seed() -> None:
    backends = [{"type": "LocalVisBackend"}, {"type": "TensorboardVisBackend"}]
    assert change({}, "--tensorboard").visualizer == {
        "type": "Visualizer",
        "vis_backends": backends,
    }
    given = {"type": "Mine", "name": "x", "vis_backends": backends[1:]}
    assert change({"visualizer": given}, "--tensorboard").visualizer == given
    assert change({}, "--compile").compile is True
    assert change({"compile": {"mode": "x"}}, "--compile").compile == {"mode": "x"}
    cfg = change({"randomness": {"deterministic": True}}, "--seed", "7")
    assert cfg.randomness == {"deterministic": True, "seed": 7}
    assert dict(change({"a": 1})) == {"a": 1}


@pytest.mark.parametrize(("device", "seen"), [("cpu", ""), ("cuda:1", "5"), ("cuda", "4,5")])
def test_a_device_is_chosen(monkeypatch: pytest.MonkeyPatch, device: str, seen: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    change({}, "--device", device)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == seen
    with pytest.raises(UserError, match="must be cpu, cuda or cuda:N"):
        change({}, "--device", "gpu")
    if device != "cpu":
        with pytest.raises(UserError, match="for a single process"):
            change({"launcher": "pytorch"}, "--device", device)


def test_a_device_is_counted_among_those_that_the_environment_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    with pytest.raises(UserError, match="cuda:2: CUDA_VISIBLE_DEVICES shows 2: 4, 5"):
        change({}, "--device", "cuda:2")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    change({}, "--device", "cuda:2")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2"


def test_a_dry_run_tries_a_batch_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "job.py", "--dry-run", "--work-dir", "out"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Trying job.py; nothing is written."
    assert lines[-1] == "Ready to train."
    text = "\n".join(lines)
    for part in (
        "model: LineModel, ",
        "batches of 4 per epoch",
        "losses: loss ",
        "validation of one",
    ):
        assert part in text
    assert "trained parameters changed" in text
    assert [path.name for path in folder.iterdir() if path.name != "__pycache__"] == ["job.py"]


def test_a_dry_run_updates_where_gradients_are_accumulated(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    option = "optim_wrapper.accumulative_counts=4"
    assert main(["train", "job.py", "--dry-run", "--cfg-options", option]) == 0
    assert "update: 4 of 4 trained parameters changed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("optim_wrapper.optimizer.type=SDG", "SDG"),
        ("val_evaluator.type=NoMetric", "NoMetric"),
        ("param_scheduler.type=NoLR", "NoLR"),
        ("launcher=pytorch", "--dry-run is for a single process"),
        ("parallel={wrap:[Linaer]}", "wrap: LineModel has no part 'Linaer': did you mean 'Linear'"),
    ],
)
def test_a_dry_run_finds_what_would_fail(
    folder: Path, capsys: pytest.CaptureFixture[str], option: str, said: str
) -> None:
    assert main(["train", "job.py", "--dry-run", "--cfg-options", option]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
