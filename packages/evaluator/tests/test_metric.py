"""Metrics that keep an entry per sample."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from evaluator_cases import Accuracy, Bare, Sums, samples

from eng.evaluator import BaseMetric, DumpResults, Evaluator
from eng.structures import InstanceData


def test_prefixes():
    for metric, key in (
        (Accuracy(), "default/accuracy"),
        (Accuracy(prefix="own"), "own/accuracy"),
        (Accuracy(prefix=""), "accuracy"),
        (Bare(), "accuracy"),
        (Bare(prefix="own"), "own/accuracy"),
    ):
        metric.process(None, samples(1, 0, 1, 1))
        assert metric.evaluate(4)[key] == 0.75


def test_padding_is_dropped_and_results_forgotten():
    metric = Bare()
    metric.process(None, samples(1, 1, 0))
    assert metric.evaluate(2) == {"accuracy": 1, "size": 2}
    assert metric.results == []
    metric.process(None, samples(0))
    assert metric.evaluate(1)["accuracy"] == 0


def test_a_metric_without_results_warns(capsys):
    class Silent(Bare):
        def compute_metrics(self, results):
            return {"count": len(results)}

    assert Silent().evaluate(3) == {"count": 0}
    assert "WARNING - Silent has no results" in capsys.readouterr().out


def test_a_metric_called_with_nothing(capsys):
    for metric, warning in ((Bare(), "Bare has no results"), (Sums(), "Sums received no samples")):
        name = type(metric).__name__
        with pytest.raises(ValueError, match=f"{name} has no results to compute metrics from"):
            metric.evaluate(3)
        assert f"WARNING - {warning}" in capsys.readouterr().out


def test_what_a_metric_computes_must_have_names():
    class Number(Bare):
        def compute_metrics(self, results):
            return 0.5

    metric = Number()
    metric.process(None, samples(1))
    with pytest.raises(TypeError, match="Number must return a dict of values by name, not float"):
        metric.evaluate(1)


def test_errors_of_a_metric_are_its_own():
    metric = Bare()
    metric.process(None, [{"correct": "x"}])
    with pytest.raises(TypeError, match="unsupported operand"):
        metric.evaluate(1)


def test_results_are_computed_on_the_cpu():
    class Tensors(Bare):
        def compute_metrics(self, results):
            self.seen = results
            return {}

    metric = Tensors()
    weight = torch.ones(1, requires_grad=True)
    metric.process(None, samples((weight * 2, {"a": [weight]}), InstanceData(scores=weight)))
    metric.evaluate(2)
    (pair, element) = metric.seen
    assert not pair[0].requires_grad
    assert not pair[1]["a"][0].requires_grad
    assert not element.scores.requires_grad


def test_results_meet_in_the_folder_that_is_given(monkeypatch):
    seen = []
    monkeypatch.setattr("eng.evaluator.metric.collect_results", lambda *given: seen.append(given))
    for metric in (Bare(collect_dir="shared"), DumpResults("a.pkl", collect_dir="shared"), Bare()):
        metric.results = [1]
        metric._gather_results(1)
    assert [given[1:] for given in seen] == [(1, "cpu", "shared")] * 2 + [(1, "cpu", None)]
    for wrong in (Bare, lambda **settings: DumpResults("a.pkl", **settings)):
        with pytest.raises(ValueError, match="collect_dir is for collect_device='cpu'"):
            wrong(collect_device="gpu", collect_dir="shared")


def test_tensors_are_moved_by_the_name_that_other_code_imports():
    from eng.evaluator.metric import _to_cpu

    moved = _to_cpu({"a": [torch.ones(1, requires_grad=True)], "b": ("x", 3)})
    assert moved["a"][0].device.type == "cpu"
    assert moved["b"] == ("x", 3)


def test_metrics_have_a_short_representation():
    metric = Accuracy(prefix="own")
    metric.process(None, samples(1, 0))
    assert repr(metric).startswith("Accuracy(prefix='own', ")
    assert repr(metric).endswith("2 results)")
    sums = Sums()
    sums.process(None, samples(1, 0, 1))
    assert repr(sums).endswith("3 samples)")
    assert repr(Evaluator([metric, sums])) == f"Evaluator([{metric!r}, {sums!r}])"


def test_helpers_of_a_metric_may_have_any_name():
    class Own(BaseMetric):
        def process(self, data_batch, data_samples):
            self.results += self._collect(data_samples)

        def _collect(self, data_samples):
            return [sample["value"] for sample in data_samples]

        def _compute(self, values, scale):
            return sum(values) * scale

        def compute_metrics(self, results):
            return {"sum": self._compute(results, scale=10)}

    metric = Own(prefix="own")
    metric.process(None, [{"value": 1}, {"value": 2}])
    assert metric.evaluate(2) == {"own/sum": 30}
