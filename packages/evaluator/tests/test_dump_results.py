"""Predictions in a file."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from evaluator_cases import Bare

from eng.evaluator import DumpPredictions, DumpResults, Evaluator
from eng.fileio import exists, load
from eng.structures import BaseDataElement, InstanceData


@pytest.mark.parametrize("name", ["out.pkl", "deep/out.pickle"])
def test_predictions_are_dumped_and_evaluated_later(tmp_path, name):
    path = tmp_path / name
    evaluator = Evaluator({"type": "DumpResults", "out_file_path": path})
    scores = torch.ones(2, requires_grad=True) * 2
    for i in range(3):
        instances = InstanceData(scores=scores * i)
        evaluator.process([BaseDataElement(correct=i % 2, pred_instances=instances)])
    assert evaluator.evaluate(2) == {}
    dumped = load(path)
    assert [sample["correct"] for sample in dumped] == [0, 1]
    assert dumped[1]["pred_instances"]["scores"].tolist() == [2, 2]
    assert not dumped[1]["pred_instances"]["scores"].requires_grad
    assert Evaluator(Bare()).offline_evaluate(dumped) == {"accuracy": 0.5, "size": 2}


def test_predictions_are_dumped_to_any_storage():
    metric = DumpResults("memory://dumped/out.pkl")
    metric.process(None, [{"a": (torch.ones(1), "x")}])
    metric.evaluate(1)
    assert load("memory://dumped/out.pkl") == [{"a": (torch.ones(1), "x")}]
    assert exists("memory://dumped/out.pkl")


def test_predictions_as_json(tmp_path):
    path = str(tmp_path / "out.json")
    evaluator = Evaluator({"type": "DumpPredictions", "out_file_path": path})
    instances = InstanceData(scores=torch.ones(2))
    evaluator.process([BaseDataElement(correct=1, pred_instances=instances)])
    assert evaluator.evaluate(1) == {}
    assert load(path) == [{"correct": 1, "pred_instances": {"scores": [1.0, 1.0]}}]
    DumpPredictions(str(tmp_path / "out.pkl"))
    with pytest.raises(ValueError, match=r"end with '.pkl' or '.pickle' or '.json', not 'out.txt'"):
        DumpPredictions("out.txt")


def test_bad_paths_to_dump_to():
    with pytest.raises(ValueError, match=r"end with '.pkl' or '.pickle', not 'out.json'"):
        DumpResults("out.json")
    with pytest.raises(ValueError, match="'cpu' or 'gpu'"):
        DumpResults("out.pkl", collect_device="disk")
