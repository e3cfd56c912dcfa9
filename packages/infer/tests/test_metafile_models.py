"""Models by their names in the metafiles of packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from inferencer_cases import CFG, LineInferencer

from eng.config import Config
from eng.infer import BaseInferencer
from eng.registry import DefaultScope

INDEX = "Import:\n  - configs/line/metafile.yml\n  - configs/other.yml\n"


@pytest.fixture(params=[".mim", "checkout"])
def package(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A package ``mmtrack``, installed or checked out, with three models."""
    root = tmp_path / "site" / "mmtrack"
    folder = root / ".mim" if request.param == ".mim" else root.parent
    (folder / "configs" / "line").mkdir(parents=True)
    root.mkdir(exist_ok=True)
    (root / "__init__.py").write_text("")
    Config(CFG).dump(folder / "configs" / "line" / "Line_a.py")
    torch.save({"factor": torch.tensor(7.0)}, tmp_path / "a.pth")
    (folder / "model-index.yml").write_text(INDEX)
    entry = f"    Config: configs/line/Line_a.py\n    Weights: {tmp_path / 'a.pth'}\n"
    (folder / "configs" / "line" / "metafile.yml").write_text(
        f"Models:\n  - Name: Line_A\n    Alias: LineAlias\n{entry}"
        "  - Name: line_b\n    Alias:\n      - b1\n      - B2\n"
        "    Config: configs/line/Line_a.py\n"
        f"    Weights:\n      - {tmp_path / 'a.pth'}\n      - other.pth\n"
    )
    (folder / "configs" / "other.yml").write_text(
        "- Name: plain\n  Config: configs/line/Line_a.py\n"
    )
    monkeypatch.syspath_prepend(str(root.parent))
    yield folder
    sys.modules.pop("mmtrack", None)


def open_model(name: str, weights: str | None = None) -> LineInferencer:
    return LineInferencer(name, weights, device="cpu", scope="mmtrack", show_progress=False)


@pytest.mark.parametrize("name", ["Line_A", "line_a", "linealias", "LINE_B", "b1", "b2"])
def test_a_name_or_an_alias_in_any_case(package: Path, name: str) -> None:
    assert open_model(name)(1)["predictions"] == [7.0]


def test_given_weights_take_precedence(package: Path, tmp_path: Path) -> None:
    torch.save({"factor": torch.tensor(9.0)}, tmp_path / "b.pth")
    assert open_model("line_a", str(tmp_path / "b.pth"))(1)["predictions"] == [9.0]


def test_a_model_without_weights(package: Path) -> None:
    with pytest.warns(UserWarning, match="random"):
        assert open_model("plain")(1)["predictions"] == [2.0]


@pytest.mark.parametrize("package", [".mim"], indirect=True)
def test_config_of_a_package(package: Path) -> None:
    with pytest.warns(UserWarning, match="random"):
        inferencer = open_model("mmtrack::line/Line_a.py")
    assert inferencer(1)["predictions"] == [2.0]


def test_an_unknown_name(package: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown model 'l' of .*list_models\('mmtrack'\)"):
        open_model("l")


def test_an_entry_without_a_config(package: Path) -> None:
    (package / "configs" / "other.yml").write_text("- Name: plain\n")
    with pytest.raises(ValueError, match="no 'Config' of the model 'plain'"):
        open_model("plain")


def test_list_of_models(package: Path) -> None:
    names = ["Line_A", "LineAlias", "line_b", "b1", "B2", "plain"]
    assert BaseInferencer.list_models("mmtrack") == names
    assert BaseInferencer.list_models("mmtrack", "line") == ["line_b"]
    assert BaseInferencer.list_models("mmtrack", ".*_.") == ["Line_A", "line_b"]
    with DefaultScope.overwrite_default_scope("mmtrack"):
        assert BaseInferencer.list_models() == names


def test_folder_and_entries_of_a_package(package: Path) -> None:
    assert BaseInferencer._get_repo_or_mim_dir("mmtrack") == str(package)
    entries = list(BaseInferencer._get_models_from_metafile(str(package)))
    assert [entry["Name"] for entry in entries] == ["Line_A", "line_b", "plain"]
    cfg, weights = open_model("line_b")._load_model_from_metafile("LINE_B")
    assert cfg.model == CFG["model"]
    assert weights.endswith("a.pth")


def test_scopes_without_models() -> None:
    with pytest.raises(AssertionError, match="None"):
        BaseInferencer.list_models()
    with pytest.raises(AssertionError, match="'zzz'"):
        BaseInferencer.list_models("zzz")
    with pytest.raises(ImportError, match="pip install mmflow"):
        BaseInferencer.list_models("mmflow")
    with pytest.raises(ImportError, match="pip install mmaction2"):
        BaseInferencer._get_repo_or_mim_dir("mmaction")
    with pytest.raises(KeyError, match="zzz"):
        BaseInferencer._get_repo_or_mim_dir("zzz")


def test_a_package_without_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mmrazor").mkdir()
    (tmp_path / "mmrazor" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(FileNotFoundError, match="configs of mmrazor not found"):
        BaseInferencer._get_repo_or_mim_dir("mmrazor")
    (tmp_path / "configs").mkdir()
    with pytest.raises(FileNotFoundError, match=r"model-index\.yml"):
        list(BaseInferencer._get_models_from_metafile(str(tmp_path)))
