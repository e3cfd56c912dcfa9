"""Several named sets of data are evaluated as one evaluation."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from eng.config import Config
from eng.dist.testing import run_in_processes
from eng.evaluator import Evaluator
from eng.hooks import CheckpointHook, EarlyStoppingHook, Hook
from eng.registry import LOOPS, METRICS, MODELS
from eng.runner import BaseLoop, Runner, ValLoop
from eng.runner.check import find_problems
from eng.runner.dry_run import try_run

sys.path.insert(0, str(Path(__file__).parent))
from named_set_cases import MeanOf, Slope, job, loader, validate

NEAR = {"near/error/mean": 3.0, "near/error/count": 7, "near/error/start": 0}
FAR = {"far/error/mean": 104.5, "far/error/count": 10, "far/error/start": 100}


class Calls(Hook):
    """Records the stages of an evaluation."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def before_val(self, runner: Any) -> None:
        self.calls.append("before")

    def before_val_epoch(self, runner: Any) -> None:
        self.calls.append("before epoch")

    def after_val(self, runner: Any) -> None:
        self.calls.append("after")

    def after_val_iter(self, runner: Any, batch_idx: int, **_: Any) -> None:
        self.calls.append((batch_idx, len(runner.val_dataloader.dataset)))

    def after_val_epoch(self, runner: Any, metrics: Any = None) -> None:
        self.calls.append(dict(metrics))


def test_metrics_get_the_name_of_their_set_as_prefix(tmp_path: Path) -> None:
    runner = Runner(**job(tmp_path))
    assert runner.val() == {**NEAR, **FAR}
    assert runner.val() == {**NEAR, **FAR}
    assert len(runner.val_dataloader) == 5
    assert len(list(runner.val_dataloader)) == 5
    assert list(runner.val_loop.loops) == ["near", "far"]


def test_hooks_see_one_evaluation(tmp_path: Path) -> None:
    hook = Calls()
    Runner(**job(tmp_path, custom_hooks=[hook])).val()
    batches = [(0, 7), (1, 7), (2, 10), (3, 10), (4, 10)]
    assert hook.calls == ["before", "before epoch", *batches, {**NEAR, **FAR}, "after"]


@pytest.mark.parametrize("kind", ["config", "metrics", "list", "instance", "evaluator"])
def test_one_evaluator_is_built_for_each_set(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METRICS.module_dict, "MeanOf", MeanOf)
    given: Any = {
        "config": {"type": "MeanOf"},
        "metrics": {"metrics": [{"type": "MeanOf"}]},
        "list": [{"type": "MeanOf"}],
        "instance": MeanOf(),
        "evaluator": Evaluator(MeanOf()),
    }[kind]
    runner = Runner(**job(tmp_path, val_evaluator=given))
    assert runner.val() == {**NEAR, **FAR}
    first, second = runner.val_evaluator.metrics
    assert first is not second


def test_evaluators_by_name(tmp_path: Path) -> None:
    evaluators = {"far": [MeanOf(prefix="a")], "near": MeanOf(prefix="b")}
    metrics = Runner(**job(tmp_path, val_evaluator=evaluators)).val()
    assert next(iter(metrics)) == "near/b/mean"
    assert metrics["far/a/mean"] == 104.5


@pytest.mark.parametrize(
    ("evaluator", "message"),
    [
        ({"near": MeanOf()}, "missing the evaluator of the set 'far' of val_dataloader"),
        ({"near": MeanOf(), "fra": MeanOf()}, "did you mean it by 'fra'"),
        ({"near": MeanOf(), "far": MeanOf(), "x": MeanOf()}, "'x'. are not sets of val_dataloader"),
    ],
)
def test_names_of_evaluators_are_those_of_the_sets(
    tmp_path: Path, evaluator: Any, message: str
) -> None:
    settings = job(tmp_path, val_evaluator=evaluator)
    with pytest.raises(ValueError, match=message):
        Runner(**settings).val()
    (problem,) = find_problems(settings, ["val"])
    assert problem.is_error
    with pytest.raises(ValueError, match="val_evaluator"):
        Runner(**job(tmp_path, val_evaluator=evaluator)).train()


def test_a_name_is_a_prefix(tmp_path: Path) -> None:
    sets = {"a/b": loader(0, 4)}
    with pytest.raises(ValueError, match="without '/', got 'a/b'"):
        Runner(**job(tmp_path, val_dataloader=sets)).val()


def test_mistakes_in_a_set_are_found_before_training(tmp_path: Path) -> None:
    settings = job(tmp_path)
    settings["val_dataloader"]["far"] |= {"batch_sise": 3, "sampler": {"type": "DefaultSample"}}
    settings["val_dataloader"]["near"] = {"datset": {"type": "X"}}
    texts = [each.text for each in find_problems(settings, ["val"])]
    assert [text.partition(": ")[0] for text in texts] == [
        "val_dataloader.near",
        "val_dataloader.far",
        "val_dataloader.far.sampler",
    ]
    with pytest.raises(ValueError, match=r"val_dataloader.near: .*'dataset' is missing"):
        Runner(**settings).train()


def test_a_loader_config_without_a_dataset_stays_one(tmp_path: Path) -> None:
    broken = {"batch_size": 2, "collate_fn": {"type": "default_collate"}}
    with pytest.raises(ValueError, match="'dataset'"):
        Runner(**job(tmp_path, val_dataloader=broken)).val()


def test_ready_data_loaders_by_name(tmp_path: Path) -> None:
    data = loader(0, 7)["dataset"]
    sets = {"torch": DataLoader(data, batch_size=3), "config": loader(0, 7)}
    metrics = Runner(**job(tmp_path, val_dataloader=sets)).val()
    assert metrics["torch/error/mean"] == metrics["config/error/mean"] == 3.0


def test_losses_of_each_set(tmp_path: Path) -> None:
    metrics = Runner(**job(tmp_path, val_cfg={"loss": True})).val()
    assert metrics["near/loss"] == metrics["near/val_loss"] == pytest.approx(3)
    assert metrics["far/val_loss"] == pytest.approx(104.5)  # the mean of 100 to 109
    hook = {"type": "CheckpointHook", "save_best": "val_loss"}
    runner = Runner(**job(tmp_path, default_hooks={"checkpoint": hook}))
    with pytest.raises(KeyError, match=r"did you mean '(near|far)/val_loss'"):
        runner.train()


def test_the_best_and_early_stopping_by_one_set(tmp_path: Path) -> None:
    hooks = {"checkpoint": CheckpointHook(1, save_best="far/error/mean", rule="less")}
    stop = EarlyStoppingHook("near/error/mean", rule="less", patience=5)
    ema = {"type": "EMAHook"}
    runner = Runner(**job(tmp_path, default_hooks=hooks, custom_hooks=[stop, ema]))
    runner.train()
    assert (tmp_path / "best_far_error_mean_epoch_3.pth").exists()
    record = json.loads((tmp_path / "validations.json").read_text())
    assert set(record["validations"][-1]["metrics"]) == {*NEAR, *FAR}
    best = runner.summary.best["far/error/mean"]
    assert best.score == record["validations"][-1]["metrics"]["far/error/mean"]
    for wrong in ("farr/error/mean", "error/mean", "far/eror/mean"):
        hook = CheckpointHook(1, save_best=wrong, rule="less")
        with pytest.raises(KeyError, match=r"did you mean '(far|near)/error/mean'"):
            Runner(**job(tmp_path / wrong, default_hooks={"checkpoint": hook})).train()


class Stop(Exception):
    pass


class StopsAt(Hook):
    def __init__(self, epoch: int, batch: int) -> None:
        self.at = (epoch, batch)

    def after_val_iter(self, runner: Any, batch_idx: int, **_: Any) -> None:
        if (runner.epoch, batch_idx) == self.at:
            raise Stop


def train(folder: Path, *hooks: Hook, **more: Any) -> dict[str, Any]:
    checkpoint = {"checkpoint": CheckpointHook(1, save_best="far/error/mean", rule="less")}
    runner = Runner(**job(folder, default_hooks=checkpoint, custom_hooks=list(hooks), **more))
    runner.train()
    record = json.loads((folder / "validations.json").read_text())["validations"]
    return {"record": record, "weights": runner.model.state_dict()}


@pytest.mark.parametrize("batch", [pytest.param(1, marks=pytest.mark.exhaustive), 3])
def test_a_run_stopped_inside_a_set_validates_all_when_resumed(tmp_path: Path, batch: int) -> None:
    whole = train(tmp_path / "whole")
    with pytest.raises(Stop):
        train(tmp_path / "parts", StopsAt(2, batch))
    hook = Calls()
    parts = train(tmp_path / "parts", hook, resume=True)
    assert parts["record"] == whole["record"]
    torch.testing.assert_close(parts["weights"], whole["weights"], rtol=0, atol=0)
    assert hook.calls[2:7] == [(0, 7), (1, 7), (2, 10), (3, 10), (4, 10)]


def test_results_of_an_interrupted_evaluation_do_not_count_in_the_next(tmp_path: Path) -> None:
    hook = StopsAt(0, 3)
    runner = Runner(**job(tmp_path, custom_hooks=[hook]))
    with pytest.raises(Stop):
        runner.val()
    hook.at = (-1, -1)
    assert runner.val() == {**NEAR, **FAR}


def test_metrics_at_two_processes(tmp_path: Path) -> None:
    found = run_in_processes(validate, 2, str(tmp_path))
    assert found[0] == found[1]
    assert {name: found[0][name] for name in (*NEAR, *FAR)} == {**NEAR, **FAR}
    assert {"near/val_loss", "far/val_loss"} <= set(found[0])


def test_predictions_of_each_set_are_dumped_to_a_file(tmp_path: Path) -> None:
    metrics = [{"type": "DumpResults", "out_file_path": str(tmp_path / "out.pkl")}]
    Runner(**job(tmp_path / "work", val_evaluator=metrics)).val()
    assert {each.name for each in tmp_path.glob("*.pkl")} == {"out.near.pkl", "out.far.pkl"}


def test_a_test_of_several_sets(tmp_path: Path) -> None:
    settings = job(tmp_path)
    more = {f"test_{key}": settings.pop(f"val_{key}") for key in ("dataloader", "cfg", "evaluator")}
    runner = Runner(**settings, **more)
    assert runner.test() == {**NEAR, **FAR}
    assert "far/error/mean: 104.5" in (Path(runner.log_dir) / f"{runner.timestamp}.log").read_text()


def test_a_dry_run_validates_a_batch_of_each_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODELS.module_dict, "Slope", Slope)
    monkeypatch.setitem(METRICS.module_dict, "MeanOf", MeanOf)
    settings = job(tmp_path, model={"type": "Slope"}, val_evaluator={"type": "MeanOf"})
    lines = list(try_run(Config(settings)))
    assert "validation data of 'near': Points, 7 samples, 2 batches of 4 per epoch" in lines
    assert (
        lines[-1] == "validation of one batch of 'far': 4 predictions, processed by the evaluator"
    )


class BatchedSlope(Slope):
    """Its predictions are one tensor."""

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        outputs = super().forward(inputs, data_samples, mode)
        return outputs if mode == "loss" else torch.stack(outputs)


def test_a_dry_run_counts_the_predictions_of_a_tensor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODELS.module_dict, "Slope", BatchedSlope)
    monkeypatch.setitem(METRICS.module_dict, "MeanOf", MeanOf)
    settings = job(tmp_path, model={"type": "Slope"}, val_evaluator={"type": "MeanOf"})
    lines = list(try_run(Config(settings)))
    assert "of 'far': 4 predictions, processed" in lines[-1]


def test_a_loop_of_the_user_is_used_for_each_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Doubled(ValLoop):
        def run_iter(self, idx: int, data_batch: Any) -> None:
            super().run_iter(idx, {key: 2 * value for key, value in data_batch.items()})

    monkeypatch.setitem(LOOPS.module_dict, "Doubled", Doubled)
    metrics = Runner(**job(tmp_path, val_cfg={"type": "Doubled"})).val()
    assert metrics["far/error/mean"] == 209.0


def test_a_third_party_loop_reads_the_data_loaders_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Several(BaseLoop):
        def __init__(self, runner: Any, dataloader: Any, evaluator: Any) -> None:
            super().__init__(runner, dataloader["near"])
            self.given = dataloader, evaluator

        def run(self) -> dict[str, float]:
            return {"sets": len(self.given[0])}

    monkeypatch.setitem(LOOPS.module_dict, "Several", Several)
    settings = job(tmp_path, val_cfg={"type": "Several"})
    settings["val_evaluator"] = [{"type": "A"}, {"type": "B"}]
    before = copy.copy(settings["val_evaluator"])
    runner = Runner(**settings)
    with pytest.raises(ValueError, match="A"):  # of metrics that nobody has, as before
        runner.val()
    settings["val_evaluator"] = MeanOf()
    assert Runner(**settings).val() == {"sets": 2}
    assert before == [{"type": "A"}, {"type": "B"}]
