"""Configs and models out of a package that the test installs by putting it on the path."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from eng.hub import get_config, get_model
from eng.registry import MODELS


@MODELS.register_module(force=True)
class HubLine(torch.nn.Linear):
    pass


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "zoo_of_tests"
    configs = root / ".mim" / "configs"
    (configs / "line").mkdir(parents=True)
    (root / "__init__.py").write_text("")
    (configs / "base.py").write_text("model = dict(type='HubLine', in_features=2)\n")
    (configs / "line" / "small.py").write_text(
        "_base_ = '../base.py'\nmodel = dict(out_features=1)\n"
    )
    (configs / "line" / "none.py").write_text("lr = 1\n")
    weights = tmp_path / "small.pth"
    torch.save({"state_dict": {"weight": torch.full((1, 2), 3.0), "bias": torch.ones(1)}}, weights)
    (root / ".mim" / "model-index.yml").write_text("Import:\n  - configs/line/metafile.yml\n")
    (configs / "line" / "metafile.yml").write_text(
        f"Models:\n  - Name: small\n    Config: configs/line/small.py\n    Weights: {weights}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return root


@pytest.mark.parametrize("ending", ["", ".py"])
def test_config(ending: str) -> None:
    cfg = get_config(f"zoo_of_tests::line/small{ending}")
    assert cfg.model == {"type": "HubLine", "in_features": 2, "out_features": 1}
    assert "model_path" not in cfg


def test_pretrained_config_and_model(tmp_path: Path) -> None:
    assert get_config("zoo_of_tests::line/small.py", True).model_path == str(tmp_path / "small.pth")
    model = get_model("zoo_of_tests::line/small.py", pretrained=True)
    assert model.weight.tolist() == [[3.0, 3.0]]


def test_settings_of_the_caller() -> None:
    assert get_model("zoo_of_tests::line/small", bias=False).bias is None


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("line/small.py", ValueError, "package::path"),
        ("absent_zoo::x.py", ModuleNotFoundError, "absent_zoo"),
        ("zoo_of_tests::line/absent.py", FileNotFoundError, "absent.py"),
        ("zoo_of_tests::line/none.py", ValueError, "no 'model'"),
    ],
)
def test_bad_paths(path: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        get_model(path)


def test_no_weights_named() -> None:
    with pytest.raises(ValueError, match="none for configs/line/none"):
        get_config("zoo_of_tests::line/none.py", pretrained=True)


def test_a_config_beside_the_folder_of_mim_is_in_the_index_of_the_package(package: Path) -> None:
    (package / "configs").mkdir()
    (package / "configs" / "own.py").write_text("lr = 1\n")
    with pytest.raises(ValueError, match=r"model-index\.yml does not exist"):
        get_config("zoo_of_tests::own", pretrained=True)
    (package / "model-index.yml").write_text("Import: [metafile.yml]\n")
    (package / "metafile.yml").write_text(
        "Models:\n  - Name: own\n    Config: configs/own.py\n    Weights: own.pth\n"
    )
    assert get_config("zoo_of_tests::own", pretrained=True).model_path == "own.pth"
