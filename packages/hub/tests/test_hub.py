"""Configs and models out of a package that the test installs by putting it on the path."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from eng.hub import get_config, get_model
from eng.registry import MODELS, DefaultScope


@MODELS.register_module(force=True)
class HubLine(torch.nn.Linear):
    pass


@MODELS.register_module(force=True)
class HubPreprocessed(torch.nn.Module):
    def __init__(self, data_preprocessor: object = None) -> None:
        super().__init__()
        self.data_preprocessor = data_preprocessor
        self.scope = DefaultScope.get_current_instance().scope_name


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
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
    yield root
    for name in ("zoo_of_tests", "mmgen", "mmgen.utils"):
        sys.modules.pop(name, None)


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
        ("zoo_of_tests::line/none.py", ValueError, "missing key 'model'"),
    ],
)
def test_bad_paths(path: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        get_model(path)


def test_a_config_that_is_not_listed() -> None:
    with pytest.warns(UserWarning, match="line/none.py' has no weights"):
        assert "model_path" not in get_config("zoo_of_tests::line/none.py", pretrained=True)
    with pytest.raises(ValueError, match=r"base\.py' has no weights"):
        get_model("zoo_of_tests::base.py", pretrained=True, out_features=1)


@pytest.mark.parametrize("weights", ["", "    Weights: []\n", "    Weights:\n"])
def test_a_config_that_is_listed_without_weights(package: Path, weights: str) -> None:
    (package / ".mim" / "configs" / "line" / "metafile.yml").write_text(
        f"Models:\n  - Name: small\n    Config: configs/line/small.py\n{weights}"
    )
    for error in (ValueError, AssertionError):
        with pytest.raises(error, match="lists it as 'small' without"):
            get_config("zoo_of_tests::line/small.py", pretrained=True)
    assert get_config("zoo_of_tests::line/small.py").model.type == "HubLine"


def test_the_first_of_several_weights(package: Path) -> None:
    (package / ".mim" / "configs" / "line" / "metafile.yml").write_text(
        "- Name: small\n  Config: configs/line/small.py\n  Weights: [a.pth, b.pth]\n"
    )
    assert get_config("zoo_of_tests::line/small.py", True).model_path == "a.pth"


def test_a_config_in_another_folder_that_the_index_names(package: Path) -> None:
    (package / ".mim" / "projects" / "own").mkdir(parents=True)
    (package / ".mim" / "projects" / "own" / "x.py").write_text("lr = 3\n")
    (package / ".mim" / "configs" / "line" / "metafile.yml").write_text(
        "Models:\n  - Name: own\n    Config: projects/own/x.py\n    Weights: own.pth\n"
    )
    for name in ("own/x.py", "own/x"):
        cfg = get_config(f"zoo_of_tests::{name}", pretrained=True)
        assert (cfg.lr, cfg.model_path) == (3, "own.pth")


def test_the_data_preprocessor_goes_into_the_model(package: Path) -> None:
    (package / ".mim" / "configs" / "pre.py").write_text(
        "model = dict(type='HubPreprocessed')\ndata_preprocessor = dict(type='x')\n"
    )
    assert get_model("zoo_of_tests::pre").data_preprocessor == {"type": "x"}


def test_loaded_weights_count_as_initialised() -> None:
    assert get_model("zoo_of_tests::line/small", pretrained=True)._is_init
    assert not hasattr(get_model("zoo_of_tests::line/small"), "_is_init")


def test_the_default_scope_is_that_of_the_package_for_the_moment(package: Path) -> None:
    (package / ".mim" / "configs" / "pre.py").write_text("model = dict(type='HubPreprocessed')\n")
    before = DefaultScope.get_current_instance()
    assert get_model("zoo_of_tests::pre").scope == "zoo_of_tests"
    (package / ".mim" / "configs" / "pre.py").write_text(
        "model = dict(type='HubPreprocessed')\ndefault_scope = 'eng'\n"
    )
    assert get_model("zoo_of_tests::pre").scope == "eng"
    assert DefaultScope.get_current_instance() is before


def test_modules_of_a_package_of_the_family_are_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "mmgen"
    (root / "configs").mkdir(parents=True)
    (root / "__init__.py").write_text("")
    (root / "utils.py").write_text(
        "from eng.registry import MODELS\n"
        "def register_all_modules(init_default_scope=True):\n"
        "    assert not init_default_scope\n"
        "    MODELS.register_module(name='HubOfMmgen', module=dict, force=True)\n"
    )
    (root / "configs" / "a.py").write_text("model = dict(type='HubOfMmgen', a=1)\n")
    assert get_model("mmgen::a") == {"a": 1}


def test_a_metafile_that_is_missing_does_not_hide_the_others(package: Path) -> None:
    (package / ".mim" / "model-index.yml").write_text(
        "Import:\n  - configs/gone/metafile.yml\n  - configs/line/metafile.yml\n"
    )
    with pytest.warns(UserWarning, match="lists configs/gone/metafile.yml, which is missing"):
        cfg = get_config("zoo_of_tests::line/small", pretrained=True)
    assert cfg.model_path.endswith("small.pth")
    with (
        pytest.warns(UserWarning, match="which is missing"),
        pytest.raises(FileNotFoundError, match=r"zoo_of_tests has no config 'absent\.py'"),
    ):
        get_config("zoo_of_tests::absent")


def test_a_config_beside_the_folder_of_mim_is_in_the_index_of_the_package(package: Path) -> None:
    (package / "configs").mkdir()
    (package / "configs" / "own.py").write_text("lr = 1\n")
    with pytest.warns(UserWarning, match="own' has no weights"):
        get_config("zoo_of_tests::own", pretrained=True)
    (package / "model-index.yml").write_text("Import: [metafile.yml]\n")
    (package / "metafile.yml").write_text(
        "Models:\n  - Name: own\n    Config: configs/own.py\n    Weights: own.pth\n"
    )
    assert get_config("zoo_of_tests::own", pretrained=True).model_path == "own.pth"
