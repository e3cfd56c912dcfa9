"""The command ``eng export``."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from eng.checkpoint import save_checkpoint
from eng.cli import main
from eng.registry import DATASETS, MODELS, DefaultScope


@pytest.fixture(autouse=True)
def no_scope():
    with DefaultScope.isolated():
        yield


@MODELS.register_module(force=True)
class ExportedNet(nn.Module):
    """Returns a dict of two outputs in mode 'tensor'; ``kind`` decides what is special."""

    def __init__(self, kind="plain"):
        super().__init__()
        self.kind = kind
        self.layer = nn.Linear(4, 3)
        self.norm = nn.BatchNorm1d(3)

    def forward(self, inputs, more=None, data_samples=None, mode="loss"):
        assert mode == "tensor"
        out = self.norm(self.layer(inputs)).relu()
        if self.kind == "two":
            out = out + more
        if self.kind == "fixed":
            out = out.reshape(2, 3)
        if self.kind == "data":  # depends on values, which no export can follow
            out = out if float(out.sum()) > 0 else -out
        if self.kind == "random" and not torch.compiler.is_exporting():
            out = out + 1
        if self.kind == "nothing":
            return [self.kind]
        return {"out": out, "parts": [out.sum(1)]}


@DATASETS.register_module(force=True)
class ExportedData:
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return {"inputs": torch.arange(4.0) + index, "data_samples": index}


@pytest.fixture
def checkpoint(tmp_path):
    def make(kind="plain", text=""):
        net = ExportedNet(kind)
        net.norm.running_mean.fill_(0.3)
        path = tmp_path / f"{kind}.pth"
        cfg = f"model = dict(type='ExportedNet', kind={kind!r})\n{text}"
        meta = {"cfg": cfg, "epoch": 1, "iter": 1}
        save_checkpoint({"state_dict": net.state_dict(), "meta": meta}, str(path))
        return path

    return make


def run(*words):
    return main(["export", *map(str, words)])


@pytest.mark.exhaustive
@pytest.mark.parametrize(("file_format", "suffix"), [("torch_export", "pt2"), ("onnx", "onnx")])
def test_outputs_are_those_of_the_model(checkpoint, capsys, file_format, suffix):
    if file_format == "onnx":
        pytest.importorskip("onnxscript")
        pytest.importorskip("onnxruntime")
    path = checkpoint(text="test_dataloader = dict(dataset=dict(type='ExportedData'))\n")
    assert run(path, "--format", file_format) == 0
    out = path.with_suffix(f".{suffix}")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{out}: float32 (batch, 4) -> float32 (batch, 3), float32 (batch)"
    assert lines[1].startswith("outputs compared on batches of 2 and 3: largest difference ")
    assert float(lines[1].rpartition(" ")[2]) < 1e-5
    assert len(lines) == 2
    if suffix == "pt2":
        found = torch.export.load(out).module()(torch.ones(7, 4))
        assert [tuple(each.shape) for each in found] == [(7, 3), (7,)]
    assert run(path, "--format", file_format) == 2
    assert "already exists; choose another file with --out" in capsys.readouterr().err


@pytest.mark.exhaustive
def test_several_inputs_and_a_fixed_batch(checkpoint, tmp_path, capsys):
    words = ("--format", "torch_export", "--shape", "4")
    assert run(checkpoint("two"), *words, "--shape", "3") == 0
    assert "float32 (batch, 4), float32 (batch, 3) -> " in capsys.readouterr().out
    assert run(checkpoint("fixed"), *words) == 0
    told = capsys.readouterr().out
    assert "float32 (2, 4) -> float32 (2, 3)" in told
    assert "outputs compared on batches of 2: " in told


@pytest.mark.exhaustive
def test_models_that_cannot_be_exported(checkpoint, tmp_path, capsys):
    words = ("--format", "torch_export", "--shape", "4")
    assert run(checkpoint("data"), *words) == 2
    assert "eng: ExportedNet cannot be exported: " in capsys.readouterr().err
    assert not (tmp_path / "data.pt2").exists()
    assert run(checkpoint("random"), *words) == 2
    assert (
        "output 0 of the exported model differs from that of the model" in capsys.readouterr().err
    )


def test_mistakes(checkpoint, tmp_path, capsys):
    path = checkpoint()
    words = ("--format", "torch_export")
    assert run(path, *words, "--out", "x.onnx") == 2
    assert "--out must end with .pt2 for --format torch_export" in capsys.readouterr().err
    assert run(path, *words) == 2
    assert "no test_dataloader to take inputs from; give their shape" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(path, *words, "--shape", "3,x")
    assert "expected sizes such as 3,224,224, not '3,x'" in capsys.readouterr().err
    save_checkpoint({"state_dict": {}, "meta": {"cfg": "a = 1"}}, str(tmp_path / "none.pth"))
    assert run(tmp_path / "none.pth", *words) == 2
    assert "the config needs the key 'model'" in capsys.readouterr().err
    assert run(path, *words, "--shape", "5") == 2
    assert "ExportedNet fails on inputs of shape (2, 5): RuntimeError: " in capsys.readouterr().err
    assert run(path, *words, "--shape", "4", "--out", tmp_path / "no" / "a.pt2") == 2
    assert "its directory does not exist" in capsys.readouterr().err
    assert run(checkpoint("nothing"), *words, "--shape", "4") == 2
    assert "ExportedNet returns no tensor in mode 'tensor'" in capsys.readouterr().err
    assert run(tmp_path / "no" / "w.pth", *words) == 2
    assert "no such file" in capsys.readouterr().err
    assert not list(Path(tmp_path).glob("*.pt2"))


@pytest.mark.parametrize(
    "content",
    [{"weight": torch.ones(1)}, {"state_dict": {}, "meta": {}}, torch.ones(1), {}],
    ids=["weights", "no config", "tensor", "empty"],
)
def test_a_checkpoint_without_a_config_needs_one(tmp_path, capsys, content):
    torch.save(content, tmp_path / "w.pth")
    assert run(tmp_path / "w.pth", "--format", "torch_export") == 2
    error = capsys.readouterr().err
    assert "w.pth has no config that can be read: name its config with --config" in error


def test_a_checkpoint_of_an_address_is_exported_to_the_current_folder(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pt2").touch()
    assert run("https://example.com/models/w.pth", "--format", "torch_export") == 2
    assert capsys.readouterr().err == (
        "eng: w.pt2 already exists; choose another file with --out\n"
    )


@pytest.mark.parametrize("way", ["checkpoint", "config"])
def test_modules_beside_the_config_are_found(checkpoint, tmp_path, monkeypatch, capsys, way):
    monkeypatch.setattr(sys, "path", [*sys.path])
    name = f"exported_data_{way}"
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / f"{name}.py").write_text("raise RuntimeError('was imported')\n")
    text = f"custom_imports = dict(imports=[{name!r}])\n"
    words = ["--format", "torch_export", "--shape", "4"]
    if way == "config":
        (folder / "config.py").write_text(f"model = dict(type='ExportedNet')\n{text}")
        words += ["--config", folder / "config.py"]
    else:
        monkeypatch.chdir(folder)  # as eng train was called
    with pytest.raises(RuntimeError, match="was imported"):
        run(checkpoint(text=text), *words)
    assert run(checkpoint(), *words[:4], "--config", tmp_path / "none.py") == 2
    assert "none.py: the file does not exist" in capsys.readouterr().err
