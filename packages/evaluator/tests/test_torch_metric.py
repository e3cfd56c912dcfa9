"""Metrics of torchmetrics as metrics of an evaluator."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from eng.evaluator import Evaluator, TorchMetric
from eng.logging import MMLogger
from eng.structures import BaseDataElement, InstanceData

torchmetrics = pytest.importorskip("torchmetrics")
classification = torchmetrics.classification


def samples(guesses, labels):
    return [{"preds": guess, "target": label} for guess, label in zip(guesses, labels, strict=True)]


def test_a_metric_is_taken_as_it_is():
    evaluator = Evaluator([classification.MulticlassAccuracy(num_classes=3, average="micro")])
    evaluator.process(samples([0, 1], [0, 2]))
    evaluator.process(samples([2, 2], [2, 1]))
    assert evaluator.evaluate(4) == {"MulticlassAccuracy": 0.5}
    evaluator.process(samples([1], [1]))  # it starts anew
    assert evaluator.evaluate(1) == {"MulticlassAccuracy": 1.0}


def test_padding_is_left_out():
    evaluator = Evaluator(classification.MulticlassAccuracy(num_classes=3, average="micro"))
    evaluator.process(samples([0, 1, 1], [0, 1, 2]))
    assert evaluator.evaluate(2) == {"MulticlassAccuracy": 1.0}


def test_a_collection_and_fields_inside_of_elements():
    collection = torchmetrics.MetricCollection(
        {
            "accuracy": classification.MulticlassAccuracy(num_classes=2, average="micro"),
            "matrix": classification.MulticlassConfusionMatrix(num_classes=2),
        }
    )
    metric = TorchMetric(collection, fields={"preds": "pred.scores", "target": "label"}, prefix="v")
    evaluator = Evaluator([metric])
    evaluator.process(
        [
            BaseDataElement(pred=BaseDataElement(scores=torch.tensor([0.9, 0.1])), label=0),
            BaseDataElement(pred=BaseDataElement(scores=torch.tensor([0.6, 0.4])), label=1),
        ]
    )
    assert evaluator.evaluate(2) == {"v/accuracy": 0.5, "v/matrix": [[1, 0], [1, 0]]}
    plain = Evaluator(collection)
    plain.process(samples([0, 1], [np.int64(0), np.int64(1)]))
    assert plain.evaluate(2)["accuracy"] == 1


@pytest.mark.parametrize(
    ("samples", "batch"),
    [
        ([{"pred_label": 1, "gt_label": 1}, {"pred": 0, "label": 1}], None),
        ([(1, 1), (torch.tensor(0), torch.tensor(1))], None),
        (torch.tensor([1, 0]), (torch.zeros(2), torch.tensor([1, 1]))),
    ],
)
def test_usual_fields_tuples_and_targets_of_the_batch(samples, batch):
    evaluator = Evaluator(classification.MulticlassAccuracy(num_classes=2, average="micro"))
    evaluator.process(samples, batch)
    assert evaluator.evaluate(2) == {"MulticlassAccuracy": 0.5}


def test_metrics_out_of_configs():
    config = {
        "type": "torchmetrics.classification.MulticlassAccuracy",
        "num_classes": 2,
        "average": "micro",
    }
    fields = {"preds": "guess", "target": "label"}
    evaluator = Evaluator(
        [config, {"type": "TorchMetric", "metric": config, "fields": fields, "prefix": "named"}]
    )
    evaluator.process([{"guess": 1, "label": 1, "preds": 0, "target": 1}])
    numbers = evaluator.evaluate(1)
    assert numbers == {"MulticlassAccuracy": 0.0, "named/MulticlassAccuracy": 1.0}


def test_what_cannot_be_stacked_is_a_list():
    class Words(torchmetrics.Metric):
        def __init__(self):
            super().__init__()
            self.add_state("total", torch.tensor(0), dist_reduce_fx="sum")

        def update(self, preds, boxes, weight=1):
            assert preds == ["a", "bc"]
            assert [len(each) for each in boxes] == [1, 2]
            self.total += sum(map(len, preds)) * weight

        def compute(self):
            return {"letters": self.total}

    evaluator = Evaluator(Words())
    boxes = [InstanceData(scores=torch.ones(i)) for i in (1, 2)]
    evaluator.process([{"preds": p, "boxes": b} for p, b in zip(["a", "bc"], boxes, strict=True)])
    assert evaluator.evaluate(2) == {"letters": 3}


def test_bad_input(capsys):
    evaluator = Evaluator(classification.MulticlassAccuracy(num_classes=2))
    evaluator.process([{"guess": 1, "target": 1}])
    with pytest.raises(KeyError, match=r"MulticlassAccuracy needs the field 'preds' .*\['guess', "):
        evaluator.evaluate(1)
    with pytest.raises(TypeError, match=r"must be a metric of torchmetrics .* not list"):
        TorchMetric([])
    MMLogger.get_current_instance().reset_warnings()
    with pytest.raises(ValueError, match="TorchMetric has no results to compute metrics from"):
        Evaluator(classification.MulticlassAccuracy(num_classes=2)).evaluate(1)
    assert "WARNING - TorchMetric received no samples" in capsys.readouterr().out
    two = [classification.MulticlassAccuracy(num_classes=2) for _ in range(2)]
    evaluator = Evaluator(two)
    evaluator.process(samples([1], [1]))
    with pytest.raises(ValueError, match=r"duplicate metric names \['MulticlassAccuracy'\] of"):
        evaluator.evaluate(1)


def test_torchmetrics_is_not_needed():
    code = (
        "import sys, eng.evaluator as e; e.Evaluator([]); assert 'torchmetrics' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
