"""A model is tested on augmentations of its samples."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from eng.config import Config
from eng.dataset import BaseDataset
from eng.hooks import PrepareTTAHook, build_runner_with_tta
from eng.model import BaseTTAModel
from eng.registry import DATASETS, MODELS, TRANSFORMS


@DATASETS.register_module(force=True)
class PipedLine(BaseDataset):
    def load_data_list(self) -> list[dict[str, Any]]:
        return [{"value": float(i)} for i in range(4)]


@TRANSFORMS.register_module(force=True)
class ManyTimes:
    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, sample: dict[str, Any]) -> dict[str, Any]:
        return {"inputs": [sample["value"]] * self.times, "data_samples": [0] * self.times}


@MODELS.register_module(force=True)
class MeanError2(BaseTTAModel):
    def test_step(self, data: Any) -> list[dict[str, float]]:
        return [{"error": float(len(data["inputs"]))}]

    def merge_preds(self, data_samples_list: Any) -> Any:
        return data_samples_list


def tta_job(job: dict[str, Any], dataset: dict[str, Any]) -> Config:
    cfg = {
        **job,
        "test_dataloader": {
            "batch_size": 2,
            "dataset": dataset,
            "sampler": {"type": "DefaultSampler", "shuffle": False},
        },
        "tta_model": {"type": "MeanError2"},
        "tta_pipeline": [{"type": "ManyTimes", "times": 3}],
    }
    return Config(cfg)


PIPED = {"type": "PipedLine", "pipeline": [{"type": "ManyTimes", "times": 1}]}


@pytest.mark.parametrize(
    "dataset", [PIPED, {"type": "ConcatDataset", "datasets": [PIPED, copy.deepcopy(PIPED)]}]
)
def test_each_test_has_the_augmentations_and_the_model_stays(
    job: dict[str, Any], dataset: dict[str, Any]
) -> None:
    cfg = tta_job(job, dataset)
    before = cfg.pretty_text
    runner = build_runner_with_tta(cfg)
    model = runner.model
    for _ in range(2):
        assert runner.test() == {"line/loss": 3.0}
        assert runner.model is model
    assert cfg.pretty_text == before
    assert runner.cfg.pretty_text  # can be dumped: there is no model in it


@pytest.mark.parametrize("key", ["tta_model", "tta_pipeline", "test_dataloader"])
def test_what_is_missing_is_named(job: dict[str, Any], key: str) -> None:
    cfg = tta_job(job, copy.deepcopy(PIPED))
    del cfg[key]
    with pytest.raises(AssertionError, match=key):
        build_runner_with_tta(cfg)
    with pytest.raises(TypeError, match="tta_cfg"):
        PrepareTTAHook(3)  # type: ignore[arg-type]
