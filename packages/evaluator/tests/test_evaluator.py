"""Several metrics as one, and metrics of saved predictions."""

import sys
from collections import namedtuple
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from evaluator_cases import Accuracy, Bare, samples

from eng.evaluator import Evaluator, get_metric_value
from eng.registry import EVALUATOR, METRICS


def test_several_metrics_are_merged_and_know_the_dataset():
    METRICS.register_module(name="AccuracyForTest", module=Accuracy)
    try:
        evaluator = EVALUATOR.build(
            {"type": "Evaluator", "metrics": [{"type": "AccuracyForTest", "prefix": "a"}, Bare()]}
        )
    finally:
        METRICS.module_dict.pop("AccuracyForTest")
    evaluator.dataset_meta = {"classes": ("x",)}
    assert [metric.dataset_meta for metric in evaluator.metrics] == [{"classes": ("x",)}] * 2
    assert evaluator.dataset_meta == {"classes": ("x",)}

    class Element:
        def to_dict(self):
            return {"correct": 1}

    evaluator.process([Element(), {"correct": 0}], data_batch="batch")
    assert evaluator.metrics[0].batches == ["batch"]
    assert evaluator.evaluate(2) == {"a/accuracy": 0.5, "a/size": 2, "accuracy": 0.5, "size": 2}


def test_two_numbers_of_one_name_are_an_error():
    evaluator = Evaluator([Bare(), Bare()])
    evaluator.process(samples(1))
    with pytest.raises(
        ValueError, match=r"duplicate metric names \['accuracy', 'size'\] of Bare.*prefix="
    ):
        evaluator.evaluate(1)
    assert [metric.results for metric in evaluator.metrics] == [[], []]


@pytest.mark.parametrize("chunk", [1, 2, 3, 10])
def test_offline_evaluate(chunk):
    evaluator = Evaluator(Bare())
    numbers = evaluator.offline_evaluate(
        samples(1, 0, 0, 1, 1), data=list("abcde"), chunk_size=chunk
    )
    assert numbers == {"accuracy": 0.6, "size": 5}
    assert [x for batch in evaluator.metrics[0].batches for x in batch] == list("abcde")
    assert max(len(batch) for batch in evaluator.metrics[0].batches) == min(chunk, 5)
    assert evaluator.offline_evaluate(samples(1)) == {"accuracy": 1, "size": 1}


@pytest.mark.parametrize("chunk", [1, 2, 3, 10])
@pytest.mark.parametrize(
    "make", [iter, lambda items: (item for item in items), lambda x: map(id, x)]
)
def test_offline_evaluate_of_iterators(chunk, make):
    evaluator = Evaluator(Bare())
    numbers = evaluator.offline_evaluate(iter(samples(1, 0, 0, 1, 1)), chunk_size=chunk)
    assert numbers == {"accuracy": 0.6, "size": 5}
    data = ["a", "b", "c", "d", "e"]
    evaluator = Evaluator(Bare())
    numbers = evaluator.offline_evaluate(
        iter(samples(1, 0, 0, 1, 1)), data=make(data), chunk_size=chunk
    )
    assert numbers == {"accuracy": 0.6, "size": 5}
    assert sum(len(batch) for batch in evaluator.metrics[0].batches) == 5


Pair = namedtuple("Pair", "x y")


@pytest.mark.parametrize(
    ("data", "batch"),
    [
        ([{"i": 0}, {"i": 1}], {"i": [0, 1]}),
        (
            [{"a": {"b": 1}, "c": [2, 3]}, {"a": {"b": 4}, "c": [5, 6]}],
            {"a": {"b": [1, 4]}, "c": [[2, 5], [3, 6]]},
        ),
        ([(1, "ab"), (2, "cd")], ([1, 2], ["ab", "cd"])),
        ([Pair(1, 2), Pair(3, 4)], Pair([1, 3], [2, 4])),
        ([1, 2], [1, 2]),
        ([None, b"x"], [None, b"x"]),
    ],
)
def test_data_of_an_offline_evaluation_come_in_batches(data, batch):
    evaluator = Evaluator(Bare())
    evaluator.offline_evaluate(samples(1, 1), data=data, chunk_size=2)
    assert evaluator.metrics[0].batches == [batch]
    assert type(evaluator.metrics[0].batches[0]) is type(batch)


def test_tensors_of_an_offline_evaluation_are_not_stacked():
    evaluator = Evaluator(Bare())
    evaluator.offline_evaluate(samples(1), data=[{"inputs": torch.ones(2)}])
    (tensor,) = evaluator.metrics[0].batches[0]["inputs"]
    assert tensor.shape == (2,)


def test_data_of_another_form_are_refused():
    with pytest.raises(ValueError, match="zip"):
        Evaluator(Bare()).offline_evaluate(samples(1, 1), data=[[1], [1, 2]], chunk_size=2)
    with pytest.raises(KeyError, match="a"):
        Evaluator(Bare()).offline_evaluate(samples(1, 1), data=[{"a": 1}, {}], chunk_size=2)


@pytest.mark.parametrize("chunk", [1, 2, 7])
@pytest.mark.parametrize("counts", [(3, 2), (2, 3), (0, 2), (2, 0), (4, 2)])
def test_iterators_of_another_length_are_refused(chunk, counts):
    predictions, data = samples(*[1] * counts[0]), ["a"] * counts[1]
    for kind in (ValueError, AssertionError):
        for make in (iter, list):
            with pytest.raises(kind, match="should have the same length"):
                Evaluator(Bare()).offline_evaluate(
                    make(predictions), data=iter(data), chunk_size=chunk
                )


def test_bad_input():
    for kind in (ValueError, AssertionError):
        with pytest.raises(kind, match="data has 1 entries for 2"):
            Evaluator(Bare()).offline_evaluate(samples(1, 1), data=["a"])
        with pytest.raises(kind, match="chunk_size must be at least 1, got 0"):
            Evaluator(Bare()).offline_evaluate(samples(1), chunk_size=0)
        with pytest.raises(kind, match="unknown metric 'AP'"):
            get_metric_value("AP", {"loss": 1})
    with pytest.raises(ValueError, match="'cpu' or 'gpu', not 'tpu'"):
        Bare(collect_device="tpu")
    with pytest.raises(
        TypeError, match="a config dict, a BaseMetric or one of torchmetrics, not str"
    ):
        Evaluator(["Accuracy"])
