"""The command ``eng predict``."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from eng.checkpoint import save_folder
from eng.cli import Command
from eng.infer.commands import PREDICT
from eng.utils import UserError

MODULE = """
from pathlib import Path

import torch
from torch import nn

from eng.infer import BaseInferencer
from eng.registry import INFERENCERS, MODELS, TRANSFORMS


@MODELS.register_module(force=True)
class PredictCount(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))

    def test_step(self, data):
        return [dict(count=value * self.factor) for value in data['inputs']]


@TRANSFORMS.register_module(force=True)
class PredictRead:
    def __call__(self, results):
        return dict(inputs=len(Path(results['img_path']).read_text()))


@TRANSFORMS.register_module(force=True)
class LoadAnnotations:
    def __call__(self, results):
        raise KeyError('annotations')


@INFERENCERS.register_module(force=True)
class PredictInferencer(BaseInferencer):
    visualize_kwargs = {'out_dir'}

    def _init_pipeline(self, cfg):
        return lambda path: dict(inputs=len(path))

    def visualize(self, inputs, preds, show=False, out_dir=None):
        if out_dir:
            Path(out_dir).mkdir()

    def postprocess(self, preds, visualization, return_datasample=False):
        return dict(predictions=preds if return_datasample else [float(p['count']) for p in preds])
"""
CONFIG = """
custom_imports = dict(imports=['eng_predict_of_a_test'])
model = dict(type='PredictCount')
test_dataloader = dict(dataset=dict(type='RepeatDataset', dataset=dict(
    pipeline=[dict(type='LoadAnnotations'), dict(type='PredictRead')])))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "eng_predict_of_a_test", raising=False)
    (tmp_path / "eng_predict_of_a_test.py").write_text(MODULE)
    (tmp_path / "config.py").write_text(CONFIG)
    (tmp_path / "own.py").write_text(
        "_base_ = 'config.py'\ninferencer = dict(type='PredictInferencer')\n"
    )
    (tmp_path / "files").mkdir()
    for name, text in (("a", "12"), ("b", "123")):
        (tmp_path / "files" / name).write_text(text)
    torch.save({"state_dict": {"factor": torch.tensor(2.0)}}, "w.pth")
    return tmp_path


def predict(*argv: str) -> None:
    from argparse import ArgumentParser

    assert isinstance(PREDICT, Command)
    parser = ArgumentParser()
    PREDICT.add_arguments(parser)
    PREDICT.run(parser.parse_args(argv))


def test_files_by_the_test_pipeline(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predict("config.py", "w.pth", "files", "files/a")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        {"input": "files/a", "prediction": {"count": 4.0}},
        {"input": "files/b", "prediction": {"count": 6.0}},
        {"input": "files/a", "prediction": {"count": 4.0}},
    ]
    predict("config.py", "w.pth", "files", "--out", "p.json", "--batch-size", "2")
    assert json.loads((folder / "p.json").read_text()) == [{"count": 4.0}, {"count": 6.0}]
    assert capsys.readouterr().out == "2 predictions: p.json\n"


def test_a_folder_without_files_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "none").mkdir()
    predict("config.py", "w.pth", "none", "files/a")
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert "eng: none has no files to predict\n" in err


def test_a_checkpoint_that_is_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_folder(torch.load("w.pth"), "iter_1")
    predict("config.py", "iter_1", "files/a")
    assert json.loads(capsys.readouterr().out) == {"input": "files/a", "prediction": {"count": 4.0}}


def test_inputs_by_the_inferencer_of_the_config(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predict("own.py", "w.pth", "some text", "--show-dir", "drawn")
    assert json.loads(capsys.readouterr().out) == {"input": "some text", "prediction": 18.0}
    assert (folder / "drawn").is_dir()
    predict("own.py", "w.pth", "some text", "--out", "p.pkl")
    assert pickle.loads((folder / "p.pkl").read_bytes())[0]["count"] == 18.0


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["config.py", "w.pth", "files", "--out", "p.txt"], "--out must end with .json, .pkl"),
        (["config.py", "w.pth", "files", "--batch-size", "0"], "--batch-size must be at least 1"),
        (["config.py", ".", "files"], "is a directory: name a checkpoint in it; there are w.pth"),
        (["config.py", "absent.pth", "files"], "absent.pth"),
        (["config.py", "w.pth", "files/a", "files/c"], "No such file or directory: 'files/c'"),
        (["config.py", "w.pth", "files", "--device", "gpu"], "--device must be a device here"),
        (["config.py", "w.pth", "files", "--device", "cuda:99"], "--device must be a device here"),
        (["config.py", "w.pth", "files", "--show-dir", "d"], "PipelineInferencer cannot draw"),
        (
            ["config.py", "w.pth", "files", "--cfg-options", "test_dataloader=None"],
            r"needs inferencer=dict\(type=...\), .* or a pipeline in test_dataloader.dataset",
        ),
        (
            ["config.py", "w.pth", "files", "--cfg-options", "inferencer=PredictInferencr"],
            "PredictInferencr is not in the .* Closest names: PredictInferencer",
        ),
        (
            ["config.py", "w.pth", "files", "--cfg-options", "model.type=torch.nn.Identity"],
            r"Identity has no test_step\(\)",
        ),
    ],
)
def test_bad_arguments(folder: Path, argv: list[str], words: str) -> None:
    with pytest.raises((UserError, OSError, KeyError), match=words):
        predict(*argv)


def test_the_command_is_known_without_torch() -> None:
    code = "import sys, eng.infer.commands; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
