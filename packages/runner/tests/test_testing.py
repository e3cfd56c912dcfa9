"""The base class of tests that run a Runner, by tests that are run with it."""

import copy
import os
import unittest
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch

from eng.logging import MessageHub, MMLogger
from eng.registry import DATASETS, METRICS, MODELS, DefaultScope
from eng.runner.testing import RunnerTestCase, ToyDataset, ToyMetric, ToyModel
from eng.utils import ManagerMixin
from eng.vis import Visualizer


def run(case, method):
    """Run one test of a case; return the case, of which the attributes stay."""
    test = case(method)
    result = unittest.TestResult()
    test.run(result)
    problems = [text for _, text in (*result.errors, *result.failures)]
    assert not problems, problems[0]
    return test


class Case(RunnerTestCase):
    def epochs(self):
        cfg = copy.deepcopy(self.epoch_based_cfg)
        self.runner = self.build_runner(cfg)
        self.runner.train()
        self.metrics = self.runner.test()
        assert cfg.experiment_name == "test1"
        assert Path(self.temp_dir).is_dir()
        assert MODELS.get("ToyModel") is ToyModel

    def iterations(self):
        self.runner = self.build_runner(self.iter_based_cfg)
        self.runner.train()
        self.files = sorted(path.name for path in Path(self.runner.work_dir).glob("*.pth"))
        self.other = self.build_runner(self.iter_based_cfg)

    def processes(self):
        self.setup_dist_env()
        cfg = {**self.epoch_based_cfg, "launcher": "pytorch"}
        cfg["env_cfg"] = {"dist_cfg": {"backend": "gloo"}}
        self.runner = self.build_runner(cfg)
        assert torch.distributed.is_initialized()


def test_an_epoch_based_run():
    case = run(Case, "epochs")
    assert (case.runner.epoch, case.runner.iter) == (2, 8)
    assert case.metrics == {"acc": 1}


def test_an_iteration_based_run_has_a_checkpoint_and_a_name_of_its_own():
    case = run(Case, "iterations")
    assert case.runner.iter == 12
    assert "iter_12.pth" in case.files
    assert case.runner.experiment_name != case.other.experiment_name


def test_nothing_is_left_after_a_test(monkeypatch):
    monkeypatch.delenv("MASTER_PORT", raising=False)

    class Own:
        pass

    MODELS.register_module(name="ToyModel", module=Own, force=True)
    try:
        with ExitStack() as stack:
            kinds = (MMLogger, MessageHub, DefaultScope, Visualizer)
            instances = [stack.enter_context(kind.isolated()) for kind in kinds]
            case = run(Case, "processes")
            assert not any(instances)
        assert MODELS.get("ToyModel") is Own
    finally:
        MODELS.module_dict.pop("ToyModel")
    assert not torch.distributed.is_initialized()
    assert "MASTER_PORT" not in os.environ
    assert not Path(case.temp_dir).exists()
    assert "ToyDataset" not in DATASETS.module_dict
    assert "ToyMetric" not in METRICS.module_dict


def test_toys():
    dataset = ToyDataset()
    assert len(dataset) == 12
    assert dataset.metainfo == ToyDataset.METAINFO == {}
    sample = dataset[3]
    assert sample["inputs"].shape == (2,)
    assert sample["data_samples"] == 1
    model = ToyModel()
    inputs, labels = [dataset[i]["inputs"] for i in range(3)], [torch.tensor(1.0)] * 3
    outputs = model(torch.stack(inputs))
    assert outputs.shape == (3, 1)
    assert torch.equal(model(inputs), outputs)
    assert list(model(inputs, labels, mode="loss")) == ["loss"]
    predictions = model(inputs, labels, mode="predict")
    assert isinstance(predictions, list)
    assert len(predictions) == 3
    assert not isinstance(ToyModel({"type": "ImgDataPreprocessor"}).data_preprocessor, type(None))
    metric = ToyMetric(dummy_metrics={"acc": 0.5, "recall": 2})
    metric.process(None, [{}])
    assert metric.evaluate(1) == {"acc": 0.5, "recall": 2}


@pytest.fixture(autouse=True)
def named_instances():
    """Isolate a test from what other tests of this process have by name."""
    with ManagerMixin.isolated():
        yield
