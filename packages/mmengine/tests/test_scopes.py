"""`mmengine` is a name of the engine's scope, of its classes' paths and of their pickles."""

from __future__ import annotations

import importlib
import pickle
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

import eng.mmengine

if eng.mmengine.report().answers != "eng":
    pytest.skip("another mmengine goes first", allow_module_level=True)

import eng.hooks
import eng.optim
from eng.config import Config
from eng.registry import (
    FUNCTIONS,
    HOOKS,
    MODELS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    DefaultScope,
    NotRegisteredError,
    Registry,
    build_from_cfg,
    init_default_scope,
)


@pytest.mark.parametrize(
    "cfg",
    [
        dict(type="mmengine.EMAHook"),
        dict(type="EMAHook", _scope_="mmengine"),
        dict(type="mmengine.hooks.EMAHook"),
        dict(type="mmengine.hooks.ema_hook.EMAHook"),
        dict(type="eng.EMAHook", _scope_="mmengine"),
    ],
    ids=str,
)
@pytest.mark.parametrize("scope", [None, "mmengine", "eng"])
def test_every_way_to_name_a_hook(cfg: dict[str, Any], scope: str | None) -> None:
    with DefaultScope.overwrite_default_scope(scope):
        assert type(HOOKS.build(dict(cfg))) is eng.hooks.EMAHook
        assert type(build_from_cfg(dict(cfg), HOOKS)) is eng.hooks.EMAHook


def test_a_library_below_finds_the_engine() -> None:
    models = Registry("model", parent=MODELS, scope="alias_lib")
    try:
        models.register_module(name="Net", module=nn.Identity)
        assert models.get("mmengine.BaseDataPreprocessor") is MODELS.get("BaseDataPreprocessor")
        assert MODELS.get("mmengine.alias_lib.Net") is nn.Identity
        with models.switch_scope_and_registry("mmengine") as registry:
            assert registry is MODELS
    finally:
        del MODELS.children["alias_lib"]


def test_paths_of_modules_that_only_the_original_has() -> None:
    wrapper = "mmengine.optim.optimizer.amp_optimizer_wrapper.AmpOptimWrapper"
    assert OPTIM_WRAPPERS.get(wrapper) is eng.optim.AmpOptimWrapper
    assert OPTIM_WRAPPERS.get("mmengine.optim.AmpOptimWrapper") is eng.optim.AmpOptimWrapper
    assert FUNCTIONS.get("mmengine.dataset.utils.pseudo_collate").__name__ == "pseudo_collate"
    weight = nn.Parameter(torch.ones(1))
    optimizer = OPTIMIZERS.build(dict(type="mmengine.SGD", params=[weight], lr=0.1))
    assert type(optimizer) is torch.optim.SGD
    with pytest.raises(NotRegisteredError, match=r"Closest names: AmpOptimWrapper"):
        OPTIM_WRAPPERS.build(dict(type="mmengine.optim.ApexOptimWrapper"))


def test_the_default_scope_has_two_names() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for scope in ("mmengine", "eng", "mmengine"):
            init_default_scope(scope)
    current = DefaultScope.get_current_instance()
    assert current is not None
    assert current.scope_name == "mmengine"
    assert repr(HOOKS).startswith("Registry of hook in the scope eng")


def test_a_config_imports_modules_of_the_alias(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("custom_imports = dict(imports=['mmengine.hooks.ema_hook'])\nx = 1\n")
    assert Config.fromfile(path).x == 1
    path.write_text("import mmengine\n_base_ = []\nversion = mmengine.__version__\n")
    assert Config.fromfile(path).version == "0.10.7"


def test_a_lazy_config_names_classes_of_the_alias(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text(
        "from mmengine import read_base\n"
        "from mmengine.dataset.sampler import DefaultSampler\n"
        "sampler = dict(type=DefaultSampler)\n"
    )
    path = tmp_path / "top.py"
    path.write_text(
        "from mmengine.config import read_base\n\n"
        "with read_base():\n    from .base import *\n\n"
        "import mmengine\n"
        "from mmengine.hooks.ema_hook import EMAHook\n\n"
        "hook = dict(type=EMAHook)\n"
        "wrapper = dict(type=mmengine.optim.AmpOptimWrapper)\n"
    )
    cfg = Config.fromfile(path)
    assert cfg.sampler.type is importlib.import_module("eng.dataset").DefaultSampler
    assert cfg.hook.type is eng.hooks.EMAHook
    assert cfg.wrapper.type is eng.optim.AmpOptimWrapper
    cfg.dump(tmp_path / "dumped.py")
    again = Config.fromfile(tmp_path / "dumped.py")
    assert again.hook.type == "mmengine.hooks.ema_hook.EMAHook"
    assert type(HOOKS.build(again.hook)) is eng.hooks.EMAHook


def test_a_lazy_config_says_what_eng_lacks(tmp_path: Path) -> None:
    path = tmp_path / "lacking.py"
    path.write_text(
        "from mmengine.config import read_base\n"
        "from mmengine.optim import ApexOptimWrapper\n"
        "wrapper = dict(type=ApexOptimWrapper)\n"
    )
    with pytest.raises(ImportError, match=r"lacking\.py, line 2.*did you mean 'Amp"):
        _ = Config.fromfile(path).wrapper.type


def stand_in(module: str, name: str, *bases: type) -> tuple[type, ModuleType]:
    """A class as the original has it, and the module that has it while something is pickled."""
    place = ModuleType(module)
    cls = type(name, bases, {"__module__": module})
    setattr(place, name, cls)
    return cls, place


@pytest.mark.parametrize("name", ["InstanceData", "PixelData", "LabelData", "BaseDataElement"])
def test_pickles_of_the_original(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {
        "InstanceData": "mmengine.structures.instance_data",
        "PixelData": "mmengine.structures.pixel_data",
        "LabelData": "mmengine.structures.label_data",
        "BaseDataElement": "mmengine.structures.base_data_element",
    }
    real = importlib.import_module(modules[name])
    cls, place = stand_in(modules[name], name)
    element = cls()
    element.__dict__.update(
        _metainfo_fields={"size"}, _data_fields={"score"}, size=(1, 2), score=torch.ones(1, 2, 2)
    )
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, modules[name], place)
        text = pickle.dumps(element)
    found = pickle.loads(text)
    assert type(found) is getattr(real, name)
    assert found.size == (1, 2)
    assert found.score.sum() == 4
    assert set(found.keys()) == {"score"}
