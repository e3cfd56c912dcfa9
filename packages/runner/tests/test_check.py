"""Configs of runs are checked against signatures before anything is built."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from eng.cli import main
from eng.config import Config
from eng.dataset import BaseDataset
from eng.model import BaseModel
from eng.optim import OptimWrapper
from eng.registry import (
    DATASETS,
    HOOKS,
    LOOPS,
    MODELS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    PARAM_SCHEDULERS,
    RUNNERS,
    TRANSFORMS,
)
from eng.runner import EpochBasedTrainLoop, Runner, ValLoop
from eng.runner.check import check_config, find_config_problems, find_problems


@MODELS.register_module(force=True)
class CheckedNet(BaseModel):
    def __init__(self, backbone: Any = None, data_preprocessor: Any = None) -> None:
        super().__init__(data_preprocessor)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError


@MODELS.register_module(force=True)
class CheckedBackbone(nn.Module):
    def __init__(self, depth: int = 1) -> None:
        super().__init__()


@DATASETS.register_module(force=True)
class CheckedData(BaseDataset):
    pass


@DATASETS.register_module(force=True)
class CheckedByWrapper(Dataset):
    """Builds what it wraps in its own way."""

    def __init__(self, dataset: Any, pipeline: Any = ()) -> None:
        self.dataset = dataset


@TRANSFORMS.register_module(force=True)
class CheckedTransform:
    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def __call__(self, data: Any) -> Any:
        return data


@LOOPS.register_module(force=True)
class CheckedByLoop(EpochBasedTrainLoop):
    def __init__(self, runner: Any, dataloader: Any, max_epochs: int) -> None:
        super().__init__(runner, {k: v for k, v in dataloader.items() if k != "mine"}, max_epochs)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module(force=True)
class CheckedByConstructor:
    def __init__(self, optim_wrapper_cfg: Any, paramwise_cfg: Any = None) -> None:
        self.cfg = optim_wrapper_cfg


@PARAM_SCHEDULERS.register_module(force=True)
class CheckedBySchedule:
    def __init__(self, optimizer: Any, begin: int = 0) -> None:
        pass

    @classmethod
    def build_iter_from_epoch(cls, *args: Any, mine: int, **kwargs: Any) -> Any:
        raise AssertionError


@HOOKS.register_module(force=True)
class CheckedByHook:
    def __init__(self, **kwargs: Any) -> None:
        self.mine = kwargs.pop("mine", None)


@RUNNERS.register_module(force=True)
class CheckedByRunner(Runner):
    pass


def texts(settings: dict[str, Any], **options: Any) -> list[tuple[str, bool]]:
    return [(each.text, each.is_error) for each in find_problems(settings, **options)]


def loader(**settings: Any) -> dict[str, Any]:
    return {"train_dataloader": {"dataset": {"type": "LineData"}, **settings}, "train_cfg": LOOP}


LOOP = {"by_epoch": True, "max_epochs": 1}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"model": CheckedBackbone()},
        {"model": {"type": CheckedNet, "data_preprocessor": {"non_blocking": True}}},
        {"model": {"type": "mmengine.CheckedNet", "backbone": {"type": "BN", "requires_grad": 1}}},
        {"model": {"type": "CheckedNet", "backbone": [{"type": "CheckedBackbone", "depth": 1}]}},
        {"model": {"type": "CheckedNet"}, "data_preprocessor": {"type": "BaseDataPreprocessor"}},
        loader(num_batch_per_epoch=3, shuffle=True, batch_size=2, persistent_workers=False),
        loader(dataset=[1, 2], sampler=None, collate_fn=None, worker_init_fn=print),
        loader(sampler={"type": "DefaultSampler", "shuffle": True, "_scope_": "mmengine"}),
        loader(batch_sampler={"type": "torch.utils.data.BatchSampler", "drop_last": True}),
        loader(collate_fn={"type": "pseudo_collate"}),
        loader(dataset={"type": "RepeatDataset", "times": 2, "dataset": {"type": "LineData"}}),
        loader(dataset={"type": "CheckedByWrapper", "dataset": {"type": "BuiltElsewhere", "a": 1}}),
        loader(dataset={"type": "CheckedData", "pipeline": [{"type": "CheckedTransform"}, print]}),
        {"train_cfg": {"type": "CheckedByLoop", "max_epochs": 1}, "train_dataloader": {"mine": 1}},
        {"optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.1}, "paramwise_cfg": {}}},
        {"optim_wrapper": {"type": "AmpOptimWrapper", "optimizer": {"type": "Adam"}}},
        {
            "optim_wrapper": {
                "constructor": "CheckedByConstructor",
                "optimizer": {"type": "X", "y": 1},
            }
        },
        {"optim_wrapper": {"constructor": "CheckedByConstructor", "a": {"b": 1}, "c": 2}},
        {"param_scheduler": {"type": "CosineAnnealingLR", "T_max": 3, "by_epoch": True}},
        {
            "param_scheduler": [
                {"type": "CheckedBySchedule", "convert_to_iter_based": True, "begin": 1}
            ]
        },
        {
            "param_scheduler": {
                "a": [{"type": "ConstantLR", "factor": 0.5}],
                "b": {"type": "LinearLR"},
            }
        },
        {"val_evaluator": [{"type": "MeanError"}, {"type": "MeanError", "prefix": "a"}]},
        {"val_evaluator": {"metrics": {"type": "MeanError"}}},
        {"default_hooks": {"timer": None, "logger": {"type": "LoggerHook", "priority": "LOW"}}},
        {"custom_hooks": [{"type": "CheckedByHook", "mine": 1, "other": 2}]},
        {"custom_hooks": [{"type": "EMAHook", "ema_type": "StochasticWeightAverage"}]},
        {"custom_hooks": [{"type": "CheckpointHook", "interval": 2, "save_best": "auto"}]},
        {"visualizer": {"name": "x", "vis_backends": [{"type": "LocalVisBackend", "name": "y"}]}},
        {"log_processor": {"window_size": 5}, "log_level": "debug", "launcher": "none"},
        {"randomness": {"seed": None, "deterministic": True}, "resume": "auto", "work_dir": "x"},
        {"env_cfg": {"anything": 1}, "a_variable": {"type": "Anything"}},
    ],
)
def test_what_can_be_built_has_no_problem(settings: dict[str, Any]) -> None:
    assert texts(settings) == []


@pytest.mark.parametrize(
    ("settings", "text", "is_error"),
    [
        ({"model": {"backbone": 1}}, "model: a 'type' is missing", True),
        ({"model": "Net"}, "model: must be a dict or a module, not 'Net'", True),
        (
            {"model": {"type": "CheckedNet", "backbne": 1}},
            "model: CheckedNet has no argument 'backbne'; did you mean 'backbone'?",
            True,
        ),
        (
            {"model": {"type": "CheckedNet", "backbone": {"type": "CheckedBackbone", "dept": 1}}},
            "model.backbone: CheckedBackbone has no argument 'dept'; did you mean 'depth'?",
            False,
        ),
        (
            {"model": {"type": "CheckedNet", "backbone": [{"type": "CheckedBackbon"}]}},
            "model.backbone.0: CheckedBackbon is not in ",
            False,
        ),
        (
            {"model": {"type": "CheckedBackbone"}, "data_preprocessor": {"type": "CheckedNet"}},
            "model: CheckedBackbone has no argument 'data_preprocessor'; it takes depth",
            True,
        ),
        (loader(batch_size="8"), "train_dataloader.batch_size: must be an integer of", True),
        (loader(num_workers=-1), "train_dataloader.num_workers: must be an integer of", True),
        (loader(pin_memory="x"), "train_dataloader.pin_memory: must be a bool, not 'x'", False),
        (
            {"train_dataloader": {"batch_size": 1}, "train_cfg": LOOP},
            "train_dataloader: a 'dataset' is missing",
            True,
        ),
        (
            loader(dataset={"type": "RepeatDataset", "times": 2, "dataset": {"type": "LinData"}}),
            "train_dataloader.dataset.dataset: LinData is not in",
            True,
        ),
        (
            loader(
                dataset={"type": "CheckedByWrapper", "dataset": {"type": "LineData", "lengt": 1}}
            ),
            "train_dataloader.dataset.dataset: LineData has no argument 'lengt'; did you mean",
            False,
        ),
        (
            loader(
                dataset={
                    "type": "CheckedData",
                    "pipeline": [{"type": "CheckedTransform", "scal": 1}],
                }
            ),
            "train_dataloader.dataset.pipeline.0: CheckedTransform has no argument 'scal'; did",
            True,
        ),
        (
            loader(sampler={"type": "DefaultSampler", "shufle": True}),
            "train_dataloader.sampler: DefaultSampler has no argument 'shufle'; did you mean",
            True,
        ),
        (
            {**loader(batchsize=1), "train_cfg": {"type": "CheckedByLoop", "max_epochs": 1}},
            "train_dataloader: DataLoader has no argument 'batchsize'; did you mean 'batch_size'?",
            False,
        ),
        (
            {"train_cfg": {"type": "CheckedByLoop"}},
            "train_cfg: CheckedByLoop needs the argument 'max_epochs'",
            True,
        ),
        (
            {"optim_wrapper": {"optimizer": {"type": "SDG", "lr": 1}}},
            "optim_wrapper.optimizer: SDG is not in",
            True,
        ),
        (
            {"optim_wrapper": {"optimizer": {"type": "SGD"}, "clip_gradd": {}}},
            "optim_wrapper: OptimWrapper has no argument 'clip_gradd'; did you mean 'clip_grad'?",
            True,
        ),
        (
            {"optim_wrapper": {"constructor": "CheckedByConstructr", "a": 1}},
            "optim_wrapper.constructor: CheckedByConstructr is not in",
            True,
        ),
        (
            {
                "optim_wrapper": {
                    "constructor": "CheckedByConstructor",
                    "optimizer": {"type": "SGD", "l": 1},
                }
            },
            "optim_wrapper.optimizer: SGD has no argument 'l'",
            False,
        ),
        (
            {"param_scheduler": {"a": [{"type": "ConstantLR", "facto": 0.5}]}},
            "param_scheduler.a.0: ConstantLR has no argument 'facto'; did you mean 'factor'?",
            True,
        ),
        (
            {
                "param_scheduler": {
                    "type": "CheckedBySchedule",
                    "convert_to_iter_based": True,
                    "begn": 1,
                }
            },
            "param_scheduler: CheckedBySchedule has no argument 'begn'; did you mean 'begin'?",
            False,
        ),
        (
            {"val_evaluator": {"metrics": [{"type": "MeanErrr"}]}},
            "val_evaluator.metrics.0: MeanErrr is not in",
            True,
        ),
        (
            {"custom_hooks": [{"type": "CheckpointHook", "max_keep_ckpt": 1}]},
            "custom_hooks.0: CheckpointHook has no argument 'max_keep_ckpt'; did you mean 'max",
            True,
        ),
        (
            {"custom_hooks": {"type": "CheckedByHook"}},
            "custom_hooks: must be a list of hooks",
            True,
        ),
        ({"custom_hooks": ["CheckedByHook"]}, "custom_hooks.0: must be a dict or a hook", True),
        ({"default_hooks": 3}, "default_hooks: must be a dict of hooks by name, not 3", True),
        (
            {"randomness": {"seed": "abc"}},
            "randomness.seed: must be an int or None, not 'abc'",
            True,
        ),
        ({"randomness": 3}, "randomness: must be a dict, not 3", True),
        (
            {"resume": "maybe"},
            "resume: must be True, False, 'auto' or the path of a checkpoint, not 'maybe'",
            False,
        ),
        ({"work_dir": 3}, "work_dir: must be a path, not 3", True),
        (
            {"parallel": {"shards": 2}},
            "parallel: no setting 'shards': did you mean 'shard'?",
            True,
        ),
        ({"parallel": {"tensor": 0}}, "parallel: tensor must be a number of processes", True),
        (
            {"parallel": {"shard": 2}, "model_wrapper_cfg": {"type": "MMFullyShard"}},
            "parallel: parallel and model_wrapper_cfg both say how the model is wrapped",
            True,
        ),
        (
            {"log_processor": {"window_size": "x"}},
            "log_processor.window_size: must be an int",
            False,
        ),
    ],
)
def test_a_mistake_is_found(settings: dict[str, Any], text: str, is_error: bool) -> None:
    found = texts(settings)
    assert len(found) == 1, found
    assert found[0][0].startswith(text), found[0][0]
    assert found[0][1] is is_error
    assert [each for _, each in texts(settings, is_strict=False)] == [False]


@MODELS.register_module(force=True)
class CheckedBlocks(BaseModel):
    def __init__(self, fails: bool = False, data_preprocessor: Any = None) -> None:
        super().__init__(data_preprocessor)
        self.blocks = nn.ModuleList(nn.Linear(2048, 2048) for _ in range(2))
        if fails:
            raise FileNotFoundError("words.txt")

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError


@pytest.mark.parametrize(
    ("parallel", "text"),
    [
        ({"shard": "rest", "wrap": ["Linear"]}, None),
        ({"shard": "rest", "wrap": ["blocks.*"], "compile": "blocks"}, None),
        ({"tensor": 2, "tensor_plan": {"blocks.*": "columns"}}, None),
        ({"shard": 8}, None),
        ({"wrap": ["Linaer"]}, "parallel.wrap: CheckedBlocks has no part 'Linaer': did you mean"),
        ({"checkpoint_activations": ["block"]}, "parallel.checkpoint_activations: CheckedBlocks"),
        ({"compile": ["Linaer"]}, "parallel.compile: CheckedBlocks has no part 'Linaer': did you"),
        (
            {"tensor": 2, "tensor_plan": {"blocks.*.up": "rows"}},
            "parallel.tensor_plan: CheckedBlocks has no part 'blocks.*.up': did you mean",
        ),
        ({"tensor": 2}, "parallel: tensor splits layers by a plan, which CheckedBlocks does not"),
    ],
)
def test_names_of_parts_are_held_against_the_model(
    job: dict[str, Any], parallel: dict[str, Any], text: str | None
) -> None:
    before = torch.get_rng_state()
    job.update(model={"type": "CheckedBlocks"}, parallel=parallel)
    found = check_config(job)
    assert torch.equal(torch.get_rng_state(), before)
    if text is None:
        assert found == []
        return
    ((message, is_error),) = found
    assert message.startswith(text)
    assert is_error


def test_the_check_says_where_it_cannot_look_up_names_of_parts(job: dict[str, Any]) -> None:
    job.update(model={"type": "CheckedBlocks", "fails": True}, parallel={"wrap": ["Linaer"]})
    ((message, is_error),) = check_config(job)
    assert message.startswith("parallel: its names of parts are not checked, as the model is not")
    assert message.endswith("words.txt")
    assert not is_error
    job["model"] = {"type": "CheckedBlok"}
    assert [each[0].partition(":")[0] for each in check_config(job)] == ["model"]


def test_the_check_names_the_line_of_a_misspelled_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        "model = dict(type='CheckedBlocks')",
        "parallel = dict(",
        "    shard='rest',",
        "    wrap=['Linaer'])",
    ]
    path = tmp_path / "config.py"
    path.write_text("\n".join(lines))
    assert main(["config", "--check", str(path)]) == 2
    assert f"{path}:4: parallel.wrap: CheckedBlocks has no part 'Linaer'" in capsys.readouterr().err


class LoopOfSets(ValLoop):
    """Has several data loaders, each with an evaluator."""

    def __init__(self, runner: Any, dataloader: Any, evaluator: Any) -> None:
        super().__init__(runner, dataloader[0], evaluator[0])
        self.evaluators = [runner.build_evaluator(each) for each in evaluator]

    def run(self) -> dict[str, float]:
        return {}


def test_a_loop_of_the_user_may_have_several_evaluators(job: dict[str, Any]) -> None:
    LOOPS.register_module(module=LoopOfSets, force=True)
    job["val_cfg"] = {"type": "LoopOfSets"}
    job["val_dataloader"] = [job["val_dataloader"]] * 2
    job["val_evaluator"] = [{"type": "Evaluator", "metrics": [{"type": "MeanError"}]}] * 2
    assert find_config_problems(job) == []
    runner = Runner.from_cfg(job)
    runner.train()
    loop: Any = runner.val_loop
    assert len(loop.evaluators) == 2
    job["val_cfg"] = {}
    with pytest.raises(ValueError, match=r"val_evaluator\.0: Evaluator is not in"):
        Runner.from_cfg(job).train()


def test_only_what_the_run_does_is_checked() -> None:
    settings = {
        "train_cfg": LOOP,
        "train_dataloader": {"dataset": {"type": "NotInstalled"}},
        "optim_wrapper": {"optimizer": {"type": "NotInstalled"}},
        "test_evaluator": {"type": "NotInstalled"},
    }
    assert len(texts(settings)) == 3
    assert [text.partition(":")[0] for text, _ in texts(settings, modes=("test",))] == [
        "test_evaluator"
    ]


def test_parts_of_another_runner_are_not_refused(job: dict[str, Any]) -> None:
    job["optim_wrapper"]["optimizer"]["momentm"] = 0.1
    assert [each.is_error for each in find_config_problems(job)] == [True]
    assert [
        each.is_error for each in find_config_problems({**job, "runner_type": "CheckedByRunner"})
    ] == [False]
    text, is_error = check_config({"runner_type": "NoRunner"})[0]
    assert text.startswith("runner_type: NoRunner is not in")
    assert is_error


def test_the_default_scope_is_that_of_the_config(job: dict[str, Any]) -> None:
    assert find_config_problems({**job, "default_scope": "mmengine"}) == []


def test_training_from_python_is_refused_with_all_mistakes(
    job: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "c.py"
    path.write_text(
        "".join(f"{key} = {value!r}\n" for key, value in job.items())
        + "optim_wrapper['optimizer']['momentm'] = 0.1\nparam_scheduler['bgin'] = 1\n"
    )
    runner = Runner.from_cfg(Config.fromfile(path))
    for kind in (TypeError, KeyError, ValueError):
        with pytest.raises(kind) as caught:
            runner.train()
    problems = caught.value.problems  # type: ignore[attr-defined]
    assert len(problems) == 2
    assert f"{path}:" in problems[0]
    assert "optim_wrapper.optimizer: SGD has no argument 'momentm'" in problems[0]
    assert "param_scheduler: LinearLR has no argument 'bgin'; did you mean 'begin'?" in problems[1]
    assert runner.iter == 0


def test_what_is_built_already_is_not_checked(job: dict[str, Any]) -> None:
    cfg = Config({"optim_wrapper": {"optimizer": {"type": "Unknown"}}})
    runner = Runner(**{**job, "default_scope": "eng"}, cfg=cfg)
    import torch

    optimizer = torch.optim.SGD(runner.model.parameters(), lr=0.1)
    runner.optim_wrapper = OptimWrapper(optimizer)
    job["train_cfg"]["max_epochs"] = 1
    runner.train()
    assert runner.epoch == 1


def test_a_probable_mistake_is_a_warning_at_its_line(tmp_path: Path, job: dict[str, Any]) -> None:
    path = tmp_path / "c.py"
    text = "".join(f"{key} = {value!r}\n" for key, value in job.items())
    path.write_text(f"{text}train_dataloader['pin_memory'] = 'x'\n")
    runner = Runner.from_cfg(Config.fromfile(path))
    with pytest.warns(UserWarning, match="pin_memory: must be a bool, not 'x'") as caught:
        runner.train()
    (found,) = [each for each in caught if "pin_memory: must" in str(each.message)]
    assert found.filename == str(path)


def test_a_value_used_twice_has_one_mistake(tmp_path: Path) -> None:
    path = tmp_path / "c.py"
    path.write_text(
        "a = dict(dataset=dict(type='LineData'), batchsize=1)\n"
        "train_cfg = dict(by_epoch=True, max_epochs=1)\n"
        "train_dataloader = dict(\n    dataset=dict(type='LineData'), batchsize=1)\n"
        "val_cfg = dict()\nval_dataloader = train_dataloader\n"
    )
    found = find_config_problems(Config.fromfile(path))
    assert [each.line.removeprefix(f"{path}:").partition(":")[0] for each in found] == ["4", "6"]


def test_the_command_checks_without_building(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "c.py"
    path.write_text("model = dict(type='CheckedNet', backbone=dict(type='CheckedBackbone'))\n")
    assert main(["config", "c.py", "--check"]) == 0
    assert capsys.readouterr().out == "c.py: no problems found\n"
    options = ["--cfg-options", "model.backbone.depht=3"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert main(["config", "c.py", "--check", *options]) == 0
    shown = capsys.readouterr()
    assert shown.out == "c.py: can be built\n"
    assert "eng: warning: set by the command line: model.backbone: CheckedBackbone " in shown.err
    assert [each.name for each in tmp_path.iterdir()] == ["c.py"]
