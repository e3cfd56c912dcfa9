"""Inferencers: their definition, their models, and what a call does."""

from __future__ import annotations

import copy
import re
import sys
import warnings
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from inferencer_cases import CFG, InferLine, LineInferencer, infer_scaled_collate

from eng.config import Config, ConfigDict
from eng.dataset import pseudo_collate
from eng.infer import BaseInferencer
from eng.infer.infer import ConfigType, ImgType, InputsType, InputType, ModelType, ResType
from eng.registry import FUNCTIONS, VISUALIZERS, DefaultScope, Registry, init_default_scope
from eng.vis import Visualizer


@pytest.fixture
def weights(tmp_path: Path) -> str:
    cfg = Config(CFG).pretty_text
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": {"factor": torch.tensor(3.0)}, "meta": {"cfg": cfg}}, path)
    return str(path)


def line(**settings: Any) -> LineInferencer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of random weights
        return LineInferencer(**{"model": CFG, "device": "cpu", "show_progress": False} | settings)


def with_collate(collate_fn: Any) -> dict[str, Any]:
    return {**CFG, "test_dataloader": {"collate_fn": collate_fn}}


def test_names_of_types_can_be_imported() -> None:
    assert None not in (ConfigType, ImgType, InputsType, InputType, ModelType, ResType)


@pytest.mark.parametrize(
    "attributes",
    [
        {"preprocess_kwargs": {"a"}, "forward_kwargs": {"a"}},
        {"visualize_kwargs": {"show", "x"}, "postprocess_kwargs": {"x"}},
        {"preprocess_kwargs": ["a"]},
        {"postprocess_kwargs": {"a": 1}},
        {"forward_kwargs": None},
    ],
)
def test_wrong_names_of_arguments_are_refused_at_the_definition(attributes: Any) -> None:
    with pytest.raises(AssertionError, match="_kwargs"):
        type("Wrong", (BaseInferencer,), attributes)


def test_an_inferencer_needs_its_three_methods() -> None:
    with pytest.raises(TypeError, match="abstract"):
        BaseInferencer(CFG)  # type: ignore[abstract]


def test_steps_of_a_call() -> None:
    inferencer = line()
    results = inferencer([1, 2, 3], batch_size=2, pa=1, fa=4, va=2, po=3)
    assert results["predictions"] == [2.0, 4.0, 6.0]
    assert len(results["visualization"]) == 3
    assert inferencer.calls == [
        ("preprocess", {"pa": 1}),
        ("forward", 2, {"fa": 4}, True),
        ("forward", 1, {"fa": 4}, True),
        ("visualize", 3, 3, False, {"va": 2}),
        ("postprocess", False, {"po": 3}),
    ]


def test_predictions_have_no_gradients() -> None:
    (pred,) = line()([1], return_datasamples=True)["predictions"]
    assert isinstance(pred, torch.Tensor)
    assert not pred.requires_grad


def test_an_unknown_argument_is_refused_with_the_closest_name() -> None:
    inferencer = line()
    with pytest.raises(ValueError, match=re.escape("unknown argument {'paa'}")) as caught:
        inferencer([1], paa=1)
    assert "Did you mean pa?" in str(caught.value)
    assert not inferencer.calls


def test_an_inferencer_without_arguments() -> None:
    class Plain(LineInferencer):
        preprocess_kwargs: ClassVar = set()
        forward_kwargs: ClassVar = set()
        visualize_kwargs: ClassVar = set()
        postprocess_kwargs: ClassVar = set()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inferencer = Plain(CFG, device="cpu")
    with pytest.raises(ValueError, match="none is accepted"):
        inferencer([1], a=1)


@pytest.mark.parametrize("size", [0, -1, 1.5, "2"])
def test_a_wrong_batch_size_is_refused(size: Any) -> None:
    with pytest.raises(ValueError, match="batch_size must be an integer"):
        line()([1], batch_size=size)


def test_a_batch_size_of_numpy() -> None:
    assert line()([1, 2], batch_size=np.int64(2))["predictions"] == [2.0, 4.0]


def test_chunks() -> None:
    chunks = line()._get_chunk_data(iter([1, 2, 3]), 2)
    assert list(chunks) == [[1, 2], [3]]
    assert list(line()._get_chunk_data([], 2)) == []


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    line(show_progress=True)([1, 2, 3], batch_size=2)
    assert "3/3" in capsys.readouterr().out
    line()([1])
    assert capsys.readouterr().out == ""


class Files(LineInferencer):
    def _init_pipeline(self, cfg: Any) -> Any:
        super()._init_pipeline(cfg)
        return lambda path: float(Path(path).read_text())


def test_inputs_of_each_form(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for name, text in (("b.txt", "2"), ("a.txt", "1"), ("c.txt", "3"), ("inner/d.txt", "4")):
        (tmp_path / name).write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inferencer = Files(CFG, device="cpu", show_progress=False)
    for folder in (str(tmp_path), tmp_path, f"{tmp_path}/"):
        assert inferencer(folder, batch_size=2)["predictions"] == [2.0, 4.0, 6.0]
    assert inferencer(str(tmp_path / "b.txt"))["predictions"] == [4.0]
    assert inferencer(tmp_path / "b.txt")["predictions"] == [4.0]
    assert inferencer([str(tmp_path / "b.txt")] * 2)["predictions"] == [4.0, 4.0]
    assert inferencer(str(tmp_path / "inner"))["predictions"] == [8.0]
    assert inferencer([])["predictions"] == []
    with pytest.raises(FileNotFoundError):
        inferencer(str(tmp_path / "none.txt"))


@pytest.mark.parametrize(
    "given", ["http://x.org/a.jpg", "none.jpg", "zz://a", "a: b", "", np.zeros(2), 3, {"img": 1}]
)
def test_a_single_input_is_taken_as_it_is(given: Any) -> None:
    (listed,) = line()._inputs_to_list(given)
    assert listed is given


def test_lists_of_inputs() -> None:
    assert line()._inputs_to_list((1, 2)) == [1, 2]
    given = ["a"]
    assert line()._inputs_to_list(given) == given
    assert line()._inputs_to_list(given) is not given


def test_folders_of_other_storages() -> None:
    import fsspec

    files = fsspec.filesystem("memory")
    files.pipe("/inferencer/b.txt", b"2")
    files.pipe("/inferencer/a.txt", b"1")
    listed = line()._inputs_to_list("memory://inferencer")
    assert listed == ["memory://inferencer/a.txt", "memory://inferencer/b.txt"]


def test_model_from_a_config_file(tmp_path: Path, weights: str) -> None:
    path = tmp_path / "config.py"
    Config(CFG).dump(path)
    inferencer = line(model=str(path), weights=weights)
    assert inferencer(2)["predictions"] == [6.0]
    assert isinstance(inferencer.cfg, Config)
    assert inferencer.model.cfg is inferencer.cfg
    assert not inferencer.model.training
    assert line(model=path, weights=weights)(2)["predictions"] == [6.0]


@pytest.mark.parametrize("kind", [dict, ConfigDict, Config])
def test_the_callers_config_stays(kind: Any, weights: str) -> None:
    given = kind({**copy.deepcopy(CFG), "visualizer": {"type": "Visualizer", "name": "infer_kept"}})
    given["model"]["pretrained"] = "backbone.pth"
    before = copy.deepcopy(given)
    inferencer = line(model=given, weights=weights)
    assert given == before
    assert inferencer.model.pretrained is None
    assert "pretrained" not in inferencer.cfg.model
    assert isinstance(inferencer.cfg, Config if kind is Config else ConfigDict)


def test_model_from_a_checkpoint_alone(weights: str) -> None:
    inferencer = line(model=None, weights=weights)
    assert inferencer(2)["predictions"] == [6.0]
    assert inferencer.cfg.model == {"type": "InferLine"}
    assert inferencer.collate_fn is infer_scaled_collate


def test_the_message_hub_of_a_checkpoint_takes_precedence(tmp_path: Path) -> None:
    text = Config({**CFG, "model": {"type": "InferLine", "factor": 5.0}}).pretty_text
    checkpoint = {
        "state_dict": {},
        "message_hub": {"runtime_info": {"cfg": text}},
        "meta": {"cfg": Config(CFG).pretty_text},
    }
    torch.save(checkpoint, tmp_path / "a.pth")
    assert line(model=None, weights=str(tmp_path / "a.pth")).cfg.model.factor == 5.0


@pytest.mark.parametrize(
    ("parts", "error", "words"),
    [
        ({}, AssertionError, "meta"),
        ({"meta": {}}, ValueError, "has no config"),
        ({"meta": {"cfg": "import os\nx = os.system('true')"}}, ValueError, "line 2"),
        ({"meta": None, "message_hub": None}, ValueError, "has no config"),
        ({"meta": {"cfg": "lr = 1"}}, ValueError, "needs the key 'model'"),
        ({"meta": {"cfg": "model = dict(type='os.system', command='true')"}}, TypeError, "model"),
    ],
)
def test_a_checkpoint_without_a_config(
    tmp_path: Path, parts: Any, error: type[Exception], words: str
) -> None:
    torch.save({"state_dict": {"factor": torch.ones(())}, **parts}, tmp_path / "a.pth")
    with pytest.raises(error, match=words):
        line(model=None, weights=str(tmp_path / "a.pth"))


def test_modules_that_the_config_of_a_checkpoint_names_are_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "infer_custom_module.py").write_text("")
    cfg = Config({**CFG, "custom_imports": {"imports": ["infer_custom_module"]}}).pretty_text
    torch.save({"state_dict": {"factor": torch.ones(())}, "meta": {"cfg": cfg}}, tmp_path / "a.pth")
    line(model=None, weights=str(tmp_path / "a.pth"))
    assert "infer_custom_module" in sys.modules


def test_wrong_models_are_refused() -> None:
    with pytest.raises(ValueError, match="set model or weights"):
        line(model=None)
    for wrong in (3, [CFG], InferLine()):
        with pytest.raises(TypeError, match="model must be"):
            line(model=wrong)
    with pytest.raises(AssertionError, match=r"'missing.py' is not an existing config file"):
        line(model="missing.py")


def test_wrong_configs_are_refused(tmp_path: Path) -> None:
    for model in (None, InferLine(), "InferLine"):
        with pytest.raises(ValueError, match="needs the key 'model'"):
            line(model={"model": model})
    with pytest.raises(AssertionError, match="the config is empty"):
        line(model={})
    torch.save([1], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="must be a dict"):
        line(model=None, weights=str(tmp_path / "list.pth"))


def test_a_visualizer_that_is_built() -> None:
    visualizer = Visualizer("infer_built")
    assert line(model={**CFG, "visualizer": visualizer}).visualizer.instance_name == "infer_built"


def test_random_weights_are_warned_of() -> None:
    with pytest.warns(UserWarning, match="random"):
        LineInferencer(CFG, device="cpu")


def test_weights_with_names_of_a_wrapper(tmp_path: Path) -> None:
    torch.save({"module.factor": torch.tensor(4.0)}, tmp_path / "a.pth")
    assert line(weights=str(tmp_path / "a.pth"))(1)["predictions"] == [4.0]


def test_the_weights_may_be_loaded_otherwise(weights: str) -> None:
    class Meta(LineInferencer):
        def _load_weights_to_model(self, model: Any, checkpoint: Any, cfg: Any) -> None:
            super()._load_weights_to_model(model, checkpoint, cfg)
            model.dataset_meta = {} if checkpoint is None else checkpoint["meta"]

    assert "cfg" in Meta(CFG, weights, device="cpu").model.dataset_meta


@pytest.mark.parametrize(
    ("collate", "expected"),
    [
        ({"type": "infer_scaled_collate", "scale": 10.0}, 20.0),
        ({"type": "infer_scaled_collate"}, 2.0),
        ("infer_scaled_collate", 2.0),
        (infer_scaled_collate, 2.0),
        ({"type": infer_scaled_collate, "scale": 3}, 6.0),
    ],
)
def test_collate_functions(collate: Any, expected: float) -> None:
    assert line(model=with_collate(collate))(1)["predictions"] == [expected]


@pytest.mark.parametrize("collate", [None, "pseudo_collate", {"type": "pseudo_collate"}])
def test_pseudo_collate(collate: Any) -> None:
    assert line(model=with_collate(collate)).collate_fn is pseudo_collate
    assert line(model={"model": CFG["model"]}).collate_fn is pseudo_collate


def test_unknown_and_wrong_collate_functions() -> None:
    with pytest.raises(KeyError, match="infer_no_such_collate"):
        line(model=with_collate("infer_no_such_collate"))
    with pytest.raises(TypeError, match="collate_fn"):
        line(model=with_collate(3))


def test_each_inferencer_has_a_visualizer_of_its_own() -> None:
    cfg = {**CFG, "visualizer": {"type": "Visualizer", "name": "infer_vv"}}
    inferencers = [line(model=cfg) for _ in range(3)]
    names = [inferencer.visualizer.instance_name for inferencer in inferencers]
    assert names[0] == "infer_vv"
    assert all(name.startswith("infer_vv-") for name in names[1:])
    assert len(set(names)) == 3
    assert [inferencer.cfg.visualizer.name for inferencer in inferencers] == names
    assert all(Visualizer.check_instance_created(name) for name in names)
    assert "name" in line(model={**CFG, "visualizer": {"type": "Visualizer"}}).cfg.visualizer
    assert line().visualizer is None


def test_scope() -> None:
    assert line(scope="infer_scope").scope == "infer_scope"
    with DefaultScope.overwrite_default_scope("infer_current"):
        assert line().scope == "infer_current"


def test_parts_are_built_in_the_scope_of_the_inferencer() -> None:
    class Scoped(LineInferencer):
        def _init_pipeline(self, cfg: Any) -> Any:
            self.seen = DefaultScope.get_current_instance().scope_name
            return super()._init_pipeline(cfg)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert Scoped(CFG, device="cpu", scope="infer_scope").seen == "infer_scope"
        own = {**CFG, "default_scope": "infer_of_cfg"}
        assert Scoped(own, device="cpu").seen == "infer_of_cfg"
        init_default_scope("infer_of_a_run")
        assert Scoped(own, device="cpu").seen == "infer_of_cfg"
        assert Scoped(CFG, device="cpu").seen == "infer_of_a_run"
        assert Scoped(own, device="cpu", scope="infer_scope").seen == "infer_scope"


def test_parts_that_only_the_scope_of_the_inferencer_has() -> None:
    functions = Registry("function", scope="infer_client", parent=FUNCTIONS)
    visualizers = Registry("visualizer", scope="infer_client", parent=VISUALIZERS)
    functions.register_module("infer_client_collate", module=infer_scaled_collate)

    @visualizers.register_module()
    class InferClientVisualizer(Visualizer):
        pass

    parts = {
        "test_dataloader": {"collate_fn": {"type": "infer_client_collate", "scale": 2.0}},
        "visualizer": {"type": "InferClientVisualizer", "name": "infer_client"},
    }
    cfg = {**CFG, **copy.deepcopy(parts)}
    assert line(model=cfg, scope="infer_client")([1])["predictions"] == [4.0]
    assert isinstance(line(model=cfg, scope="infer_client").visualizer, InferClientVisualizer)
    # As a config that inherits from one of the package says it.
    cfg["test_dataloader"]["collate_fn"]["_scope_"] = "infer_client"
    cfg["visualizer"]["_scope_"] = "infer_client"
    inferencer = line(model=cfg)
    assert inferencer([1])["predictions"] == [4.0]
    assert isinstance(inferencer.visualizer, InferClientVisualizer)
